/* property.h: program properties of the output (x86-64 psABI, "Program Property"; gABI extension
 * NT_GNU_PROPERTY_TYPE_0). */
#ifndef WELD_PASS_PROPERTY_H
#define WELD_PASS_PROPERTY_H

struct Link;

/* Merges the .note.gnu.property notes of all live objects under -z ibt, shstk, force-ibt, cet-report and
 * x86-64-v<N>; sets l->ibt and l->shstk, and the contents of SYN_NOTE_PROPERTY (empty when nothing is
 * left to say). Before scan: the shape of the PLT hangs on it. */
void property_merge(struct Link *l);

#endif

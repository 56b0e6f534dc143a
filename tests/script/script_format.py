"""lit's side of the script tests: a case of cases/ is a test; run.py says what its answer is."""
import os

import lit.formats
import lit.Test

import run


class ScriptFormat(lit.formats.FileBasedTest):
    def __init__(self, linker, objects):
        self.linker = linker
        self.objects = objects
        os.makedirs(os.path.dirname(objects), exist_ok=True)
        run.build_inputs(objects)

    def execute(self, test, lit_config):
        if test.getSourcePath().endswith(".test"):
            return lit.formats.ShTest(True).execute(test, lit_config)
        case = run.Case(test.getSourcePath())
        is_weld = os.path.basename(self.linker) == "weld"
        answer = run.Answer(case, self.linker, self.objects)
        wrong = run.judge(case, answer, is_weld)
        text = " ".join(answer.argv) + "\n" + "\n".join(wrong) + "\n"
        if is_weld and case["xfail"]:
            return lit.Test.Result(lit.Test.XFAIL if wrong else lit.Test.XPASS, text)
        return lit.Test.Result(lit.Test.FAIL if wrong else lit.Test.PASS, text)

.mode list
.headers on
create table t(id integer primary key, name text, value real, data blob);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
  insert into t select i, 'name ' || (i * 7919 % 3001), i / 7.0, randomblob(20) from n;
select count(*), sum(id), round(sum(value), 3), min(name), max(name), sum(length(data)) from t;
create index by_name on t(name collate nocase);
explain query plan select * from t where name = 'name 5' collate nocase;
select id, name, printf('%.4f|%5d|%-6s|%x', value, id, substr(name, 6), id) from t where name like 'name 12%' order by id limit 8;
begin;
update t set value = value * 2 where id % 2 = 0;
savepoint inner;
delete from t where id > 100;
select count(*) from t;
rollback to inner;
select count(*) from t;
commit;
select id, sum(value) over (order by id rows between 2 preceding and current row) as moving from t limit 5;
select group_concat(x, ',') from (select distinct substr(name, 6, 1) as x from t order by x);
create virtual table notes using fts5(body);
insert into notes values('the linker writes segments'), ('the loader maps segments'), ('nothing of that');
select rowid, highlight(notes, 0, '[', ']') from notes where notes match 'segments NOT loader' order by rank;
select json_extract('{"a": [1, {"b": 2.5}, null]}', '$.a[1].b'), json_group_array(id) from (select id from t limit 4);
select date('2001-09-09', '+1 month'), strftime('%Y-%j %H:%M:%S', 1000000000, 'unixepoch'), julianday('2000-01-01');
select sin(0.5), pow(2, 0.5), ln(10), 7 / 2, 7 % 3, 7.0 / 2, 1e300 * 1e10, -1 >> 60, hex(zeroblob(3)), quote(x'00ff');
select typeof(9223372036854775807 + 1), cast('12abc' as integer), upper('straße'), unicode('é'), char(233, 8364);
create trigger logged after insert on t begin insert into notes values('row ' || new.id); end;
insert into t(name) values('new');
select body from notes where notes match 'row';
select * from missing;
insert into t(id) values(1);
pragma integrity_check;
pragma page_count;
vacuum;
pragma integrity_check;
.mode csv
select id, name, value from t where id in (1, 2, 3001);
.mode quote
select id, name, 'it''s' from t limit 2;
.mode json
select id, name from t limit 2;
.schema
attach database ':memory:' as other;
create table other.copy as select * from t where id < 10;
select count(*) from other.copy;
.exit 0

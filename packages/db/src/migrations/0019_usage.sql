-- Usage is asked for by day. Calls are entered in the order of their days, so that the summary of a
-- range of pages is enough to find them, and costs a call's own writes nothing.
create index engine_calls_days on engine_calls using brin (hold_day) with (autosummarize = on);

-- Alerts: what is raised, what was, and the messages that wait to be sent.

-- What is remembered of a rule about a subject, moved by compare-and-set: who loses tells nothing. phase 0: holds, not for
-- long enough; 1: raised; 2: cleared in quiet hours. changing_at: since when it has not held, or when it was cleared.
create table alert (
    rule text not null, subject text not null, kind text not null, phase bigint not null,
    since_at bigint not null, raised_at bigint, changing_at bigint, told_at bigint,
    level bigint not null, figures text not null, sequence bigint not null,
    primary key (rule, subject)
) {clustered};
create table alert_past (
    rule text not null, subject text not null, raised_at bigint not null, cleared_at bigint not null,
    kind text not null, figures text not null,
    primary key (rule, subject, raised_at)
) {clustered};
create index alert_past_cleared on alert_past (cleared_at);
-- A message to one receiver, written in the transaction that raises. It goes when it is sent, or given up.
create table alert_message (
    message_id {id}, receiver text not null, body text not null, created_at bigint not null,
    attempts bigint not null, due_at bigint not null
);

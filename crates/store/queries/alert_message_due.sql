-- The oldest message of each receiver, if it is due: messages arrive in the order in which they were written.
select message_id, receiver, body, created_at, attempts from alert_message
where due_at <= $1 and message_id in (select min(message_id) from alert_message group by receiver)
order by message_id

use super::*;
use proptest::prelude::*;

fn out(at: UnixMs, seats: u32) -> Step {
    Step::Start(Start { at, order: 0, seats, version: 0, input: 1 })
}

fn back(at: UnixMs, seats: u32) -> Step {
    Step::End(End { at, order: 0, seats, ended: Ended::Checkin, input: 1 })
}

/// Pairs and shows each session as `from..until xSEATS ending`.
fn paired(pairing: Pairing, steps: &[Step], breaks: &[Break]) -> Vec<String> {
    let (mut open, mut result) = (VecDeque::new(), Paired::default());
    pair(pairing, &mut open, &mut steps.to_vec(), breaks, &mut result);
    let mut rows: Vec<Session> = result.closed;
    rows.extend(open.iter().map(Open::session));
    rows.sort();
    let mut shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let until = row.until.map_or(String::new(), |at| at.to_string());
            format!("{}..{until} x{} {}", row.from, row.seats, row.ended.as_str())
        })
        .collect();
    shown.extend(result.unmatched.iter().map(|rest| format!("unmatched {} x{}", rest.end.at, rest.seats)));
    shown
}

#[test]
fn an_end_closes_the_oldest_session_of_its_size() {
    let steps = [out(1, 1), out(2, 48), out(3, 1), back(4, 48), back(5, 1)];
    assert_eq!(paired(Pairing::Counted, &steps, &[]), ["1..5 x1 checkin", "2..4 x48 checkin", "3.. x1 open"]);
}

#[test]
fn an_end_of_another_size_splits_the_oldest_and_keeps_the_rest() {
    assert_eq!(paired(Pairing::Counted, &[out(1, 8), back(4, 6)], &[]), ["1.. x2 open", "1..4 x6 checkin"]);
    assert_eq!(
        paired(Pairing::Counted, &[out(1, 5), back(4, 16)], &[]),
        ["1..4 x5 checkin", "unmatched 4 x11"]
    );
}

#[test]
fn at_one_instant_ends_of_older_sessions_come_first_then_starts_then_other_ends() {
    let steps = [out(5, 1), back(5, 1), out(1, 1)];
    assert_eq!(paired(Pairing::Counted, &steps, &[]), ["1..5 x1 checkin", "5.. x1 open"]);
    assert_eq!(paired(Pairing::Counted, &[back(5, 1), out(5, 1)], &[]), ["5..5 x1 checkin"]);
}

#[test]
fn an_end_of_no_seats_closes_a_session_of_none() {
    let steps = [out(1, 0), out(1, 1), back(3, 0), back(4, 1)];
    assert_eq!(paired(Pairing::Counted, &steps, &[]), ["1..3 x0 checkin", "1..4 x1 checkin"]);
    assert_eq!(paired(Pairing::Counted, &[out(5, 0), back(5, 0)], &[]), ["5..5 x0 checkin"]);
    let passed_on = [out(5, 0), back(5, 0), out(5, 1), back(5, 1)];
    assert_eq!(paired(Pairing::Counted, &passed_on, &[]), ["5..5 x0 checkin", "5..5 x1 checkin"]);
    assert_eq!(paired(Pairing::Counted, &[back(5, 0)], &[]), [""; 0]);
}

#[test]
fn a_new_run_ends_what_the_old_one_held_at_its_last_line() {
    let breaks = [Break::Started { at: 20, last_line_at: 12 }];
    let steps = [out(1, 1), out(20, 1), back(25, 1)];
    assert_eq!(paired(Pairing::Counted, &steps, &breaks), ["1..12 x1 server_stopped", "20..25 x1 checkin"]);
}

#[test]
fn a_stop_comes_after_what_happens_at_its_instant() {
    let breaks = [Break::Stopped { at: 20 }];
    let steps = [out(1, 1), out(20, 1), back(20, 1)];
    assert_eq!(paired(Pairing::Counted, &steps, &breaks), ["1..20 x1 checkin", "20..20 x1 server_stopped"]);
}

#[test]
fn a_start_on_an_open_exclusive_key_supersedes_it_with_nothing_counted() {
    let steps = [out(1, 1), out(9, 1), back(12, 1)];
    assert_eq!(paired(Pairing::Exclusive, &steps, &[]), ["1..1 x1 superseded", "9..12 x1 checkin"]);
}

fn any_step() -> impl Strategy<Value = Step> {
    (0..12_i64, 1..4_u32, any::<bool>())
        .prop_map(|(at, seats, is_out)| if is_out { out(at, seats) } else { back(at, seats) })
}

proptest! {
    /// Seats given out = seats that came back, were broken off or are still open: nothing is lost, nothing made up.
    #[test]
    fn seats_balance(steps in prop::collection::vec(any_step(), 0..40)) {
        let (mut open, mut result) = (VecDeque::new(), Paired::default());
        pair(Pairing::Counted, &mut open, &mut steps.clone(), &[], &mut result);
        let total = |start: bool| -> u32 {
            steps.iter().map(|step| match step {
                Step::Start(s) if start => s.seats,
                Step::End(e) if !start => e.seats,
                _ => 0,
            }).sum()
        };
        let closed: u32 = result.closed.iter().map(|row| row.seats).sum();
        let held: u32 = open.iter().map(|open| open.left).sum();
        let rest: u32 = result.unmatched.iter().map(|rest| rest.seats).sum();
        prop_assert_eq!(total(true), closed + held);
        prop_assert_eq!(total(false), closed + rest);
    }

    /// Rows have names of their own, and the order of arrival does not matter.
    #[test]
    fn any_order_gives_the_same_rows(
        steps in prop::collection::vec(any_step(), 0..40).prop_flat_map(|s| (Just(s.clone()), Just(s).prop_shuffle())),
        breaks in prop::collection::vec((0..12_i64, 0..3_i64), 0..3),
    ) {
        let mut breaks: Vec<Break> =
            breaks.iter().map(|&(at, ago)| Break::Started { at, last_line_at: at - ago }).collect();
        breaks.sort();
        let rows = |steps: &[Step]| {
            let (mut open, mut result) = (VecDeque::new(), Paired::default());
            pair(Pairing::Counted, &mut open, &mut steps.to_vec(), &breaks, &mut result);
            result.closed.extend(open.iter().map(Open::session));
            result.closed.sort();
            result
        };
        let first = rows(&steps.0);
        let names: std::collections::HashSet<_> = first.closed.iter().map(|row| (row.from, row.nth)).collect();
        prop_assert_eq!(names.len(), first.closed.len());
        prop_assert_eq!(first, rows(&steps.1));
    }

    /// Going on from any instant gives what the whole gives, and late steps can be merged in through `unpair`.
    #[test]
    fn unpairing_from_any_instant_and_pairing_again_changes_nothing(
        steps in prop::collection::vec(any_step(), 0..40),
        late in prop::collection::vec(any_step(), 0..6),
    ) {
        let rows = |steps: &[Step]| {
            let (mut open, mut result) = (VecDeque::new(), Paired::default());
            pair(Pairing::Counted, &mut open, &mut steps.to_vec(), &[], &mut result);
            result.closed.extend(open.iter().map(Open::session));
            result.closed.sort();
            result.unmatched.sort_by_key(|rest| (rest.end.at, rest.end.seats, rest.seats));
            result
        };
        let held = rows(&steps);
        let since = late.iter().map(Step::at).min().unwrap_or(5);
        let (kept, touched): (Vec<Session>, Vec<Session>) =
            held.closed.iter().partition(|row| row.until.is_some_and(|until| until < since));
        let (kept_rests, rests): (Vec<UnmatchedEnd>, Vec<UnmatchedEnd>) =
            held.unmatched.iter().partition(|rest| rest.end.at < since);
        let (mut open, mut again) = unpair(&touched, &rests, since);
        again.extend(late.iter().copied());
        let mut result = Paired { closed: kept, unmatched: kept_rests };
        pair(Pairing::Counted, &mut open, &mut again, &[], &mut result);
        result.closed.extend(open.iter().map(Open::session));
        result.closed.sort();
        result.unmatched.sort_by_key(|rest| (rest.end.at, rest.end.seats, rest.seats));
        let whole: Vec<Step> = steps.iter().chain(&late).copied().collect();
        prop_assert_eq!(result, rows(&whole));
    }
}

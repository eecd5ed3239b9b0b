//! Sorting by numbers without comparing them: what cannot be foreseen of comparisons costs more than to take each number
//! in hand once for each of its bytes.

/// A number to sort by, and what it is the number of.
pub(super) type Numbered = (u64, u32);

/// So few are compared.
const FEW: usize = 64;

/// Sorts by the numbers; items of one number stay in their order. `spare` is memory that may be used again.
pub(super) fn sort(items: &mut [Numbered], spare: &mut Vec<Numbered>) {
    if items.len() < FEW {
        return items.sort_by_key(|(number, _)| *number);
    }
    let first = items[0].0;
    let differing = items.iter().fold(0, |bits, (number, _)| bits | (number ^ first));
    spare.clear();
    spare.extend_from_slice(items);
    let (mut from, mut to) = (items, &mut spare[..]);
    let mut is_in_spare = false;
    // A byte that all have in common needs no pass.
    for shift in (0..64).step_by(8).filter(|shift| differing >> shift & 0xff != 0) {
        let byte = |(number, _): &Numbered| (number >> shift) as usize & 0xff;
        let mut places = [0_u32; 256];
        for item in from.iter() {
            places[byte(item)] += 1;
        }
        let mut begin = 0;
        for place in &mut places {
            begin += std::mem::replace(place, begin);
        }
        for item in from.iter() {
            let place = &mut places[byte(item)];
            to[*place as usize] = *item;
            *place += 1;
        }
        std::mem::swap(&mut from, &mut to);
        is_in_spare = !is_in_spare;
    }
    if is_in_spare {
        to.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_in_order_and_equal_ones_as_they_came(
            numbers in prop::collection::vec((0_u64..1 << 20, 0..4_u32), 0..400),
            high in 0..5_u32,
        ) {
            let mut items: Vec<Numbered> = Vec::new();
            for (index, (low, shift)) in (0..).zip(numbers) {
                items.push(((low % 50) << (12 * shift.min(high)), index));
            }
            let mut expected = items.clone();
            expected.sort_by_key(|(number, _)| *number);
            sort(&mut items, &mut Vec::new());
            prop_assert_eq!(items, expected);
        }
    }
}

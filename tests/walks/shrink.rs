//! Delta debugging: the fewest operations that still go wrong (Zeller and Hildebrandt, 2002).

/// Leaves out what is not needed. `fails` says whether a shorter list still goes wrong the same way; of what is left, nothing
/// can be left out alone.
pub async fn shrink<T: Clone>(mut list: Vec<T>, mut fails: impl AsyncFnMut(&[T]) -> bool) -> Vec<T> {
    let mut parts = 2;
    while list.len() > 1 {
        let size = list.len().div_ceil(parts);
        let mut shorter = None;
        for at in (0..list.len()).step_by(size) {
            let rest: Vec<T> = [&list[..at], &list[list.len().min(at + size)..]].concat();
            if !rest.is_empty() && fails(&rest).await {
                shorter = Some(rest);
                break;
            }
        }
        match shorter {
            Some(rest) => {
                list = rest;
                parts = (parts - 1).max(2);
            }
            None if size == 1 => break,
            None => parts = (parts * 2).min(list.len()),
        }
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_is_needed_is_left() {
        for needed in [vec![3], vec![0, 99], vec![17, 18, 64], (0..100).step_by(9).collect::<Vec<_>>()] {
            let mut tries = 0;
            let left = shrink((0..100).collect(), async |list: &[usize]| {
                tries += 1;
                needed.iter().all(|one| list.contains(one))
            })
            .await;
            assert_eq!(left, needed);
            assert!(tries < 600, "{tries} tries for {needed:?}");
        }
    }

    #[tokio::test]
    async fn the_order_stays_and_one_is_enough() {
        let sorted = async |list: &[i32]| list.windows(2).any(|pair| pair[0] > pair[1]);
        assert_eq!(shrink(vec![1, 2, 9, 4, 5], sorted).await, [9, 5]);
        assert_eq!(shrink(vec![1], async |_: &[i32]| true).await, [1]);
    }
}

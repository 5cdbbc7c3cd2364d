//! Which replica should hold which shard.

/// A replica that may hold shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Its identity.
    pub identity: &'a str,
    /// When it joined.
    pub born: i64,
}

/// Spreads shards evenly, moving as few as that takes: the same for all who see the same. What is free goes to the
/// youngest first: when a new version is rolled out, the older replicas go next. `None` for a shard without a candidate,
/// and for one whose holder is none and cannot be asked.
pub fn spread<'a>(candidates: &[Candidate<'a>], holders: &[Option<&str>]) -> Vec<Option<&'a str>> {
    let held = |candidate: &Candidate<'_>| holders.iter().filter(|holder| **holder == Some(candidate.identity)).count();
    let mut order: Vec<(usize, Candidate<'a>)> = candidates.iter().map(|it| (held(it), *it)).collect();
    order.sort_by(|(held, a), (other_held, b)| {
        other_held.cmp(held).then(b.born.cmp(&a.born)).then(a.identity.cmp(b.identity))
    });
    let count = order.len().max(1);
    let (each, more) = (holders.len() / count, holders.len() % count);
    let mut room: Vec<(Candidate<'a>, usize)> =
        order.into_iter().enumerate().map(|(at, (_, it))| (it, each + usize::from(at < more))).collect();
    let mut target: Vec<Option<&'a str>> = holders
        .iter()
        .map(|holder| {
            let (candidate, left) =
                room.iter_mut().find(|(candidate, left)| Some(candidate.identity) == *holder && *left > 0)?;
            *left -= 1;
            Some(candidate.identity)
        })
        .collect();
    for (shard, holder) in holders.iter().enumerate() {
        let is_asked = holder.is_none_or(|holder| candidates.iter().any(|it| it.identity == holder));
        if target[shard].is_none()
            && is_asked
            && let Some((candidate, left)) = room.iter_mut().rev().max_by_key(|(_, left)| *left).filter(|it| it.1 > 0)
        {
            *left -= 1;
            target[shard] = Some(candidate.identity);
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Candidates in the order of their birth.
    fn candidates<'a>(identities: &[&'a str]) -> Vec<Candidate<'a>> {
        (0..).zip(identities).map(|(born, identity)| Candidate { identity, born }).collect()
    }

    fn spread_text(identities: &str, holders: &str) -> String {
        let identities: Vec<&str> = identities.split_whitespace().collect();
        let holders: Vec<Option<&str>> =
            holders.split_whitespace().map(|it| Some(it).filter(|it| *it != "-")).collect();
        let target = spread(&candidates(&identities), &holders);
        target.into_iter().map(|it| it.unwrap_or("-")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn shards_are_spread_evenly_and_few_are_moved() {
        for (identities, holders, target, why) in [
            ("a", "-", "a", "the only one"),
            ("a b c", "-", "c", "the youngest: the older ones may be on their way out"),
            ("a b c", "a", "a", "whoever leads goes on"),
            ("a b c", "- - -", "c b a", "one for each"),
            ("a b", "a a a a", "a a b b", "half of them"),
            ("a b c", "a a b b", "a c b b", "one"),
            ("a b c", "a a a b b b", "a a c b b c", "one of each"),
            ("b c", "- b c - b c", "c b c b b c", "those of the dead"),
            ("a b c d", "a b", "a b", "more replicas than shards: the rest stand by"),
            ("a b", "x - x a", "- b - a", "those of one who may still work stay with it"),
            ("", "a -", "- -", "nobody"),
        ] {
            assert_eq!(spread_text(identities, holders), target, "{why}");
        }
    }

    #[test]
    fn from_any_state_it_is_even_at_once_and_stays_so() {
        let names = ["a", "b", "c", "d"];
        for count in 1..=names.len() {
            let live = candidates(&names[..count]);
            for shards in 1..=5_u32 {
                for code in 0..5_usize.pow(shards) {
                    let holder = |shard: u32| match code / 5_usize.pow(shard) % 5 {
                        0 => None,
                        at => names[..count].get(at - 1).copied(),
                    };
                    let holders: Vec<Option<&str>> = (0..shards).map(holder).collect();
                    let target = spread(&live, &holders);
                    let counts: Vec<usize> = live
                        .iter()
                        .map(|it| target.iter().filter(|holder| **holder == Some(it.identity)).count())
                        .collect();
                    let (least, most) = (counts.iter().min().expect("some"), counts.iter().max().expect("some"));
                    assert!(most - least <= 1, "{holders:?} {target:?}");
                    assert!(target.iter().all(Option::is_some), "{holders:?} {target:?}");
                    assert_eq!(spread(&live, &target), target);
                }
            }
        }
    }
}

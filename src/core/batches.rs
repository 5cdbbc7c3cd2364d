//! ACL entries to requests: a request is roles × subjects at one path, so it must never name a product larger
//! than what is claimed.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::ids::{AclKey, AclPath, RoleId, Subject};
use crate::core::write::{AclBatch, AclChange};

/// PVE refuses bodies over 512 KiB (FACTS 10); ids of a request stay well below it.
const MAX_BODY: usize = 400 * 1024;

/// Folds entries into as few requests as the two groupings find, each exactly covering entries of the set.
pub fn fold(entries: impl IntoIterator<Item = (AclKey, AclChange)>) -> Vec<AclBatch> {
    let mut places: BTreeMap<(AclPath, AclChange), Edges> = BTreeMap::new();
    for (AclKey { path, subject, role }, change) in entries {
        places.entry((path, change)).or_default().insert((role, subject));
    }
    let mut batches = Vec::new();
    for ((path, change), edges) in places {
        for part in parts(&edges) {
            for (roles, subjects) in cheapest(&part) {
                let batch = AclBatch { path: path.clone(), roles, subjects, change };
                batches.extend(batch.within(MAX_BODY));
            }
        }
    }
    batches
}

type Edges = BTreeSet<(RoleId, Subject)>;
type Product = (BTreeSet<RoleId>, BTreeSet<Subject>);

/// Parts that share no role and no subject: the better grouping differs from part to part.
fn parts(edges: &Edges) -> Vec<Edges> {
    let mut parts: Vec<Edges> = Vec::new();
    let (mut by_role, mut by_subject) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
    for (role, subject) in edges {
        by_role.entry(role).or_default().push(subject);
        by_subject.entry(subject).or_default().push(role);
    }
    let mut seen_roles = BTreeSet::new();
    for start in by_role.keys() {
        if !seen_roles.insert(*start) {
            continue;
        }
        let (mut part, mut open, mut seen_subjects) = (Edges::new(), vec![*start], BTreeSet::new());
        while let Some(role) = open.pop() {
            for subject in &by_role[role] {
                part.insert((role.clone(), (*subject).clone()));
                if seen_subjects.insert(*subject) {
                    open.extend(by_subject[*subject].iter().filter(|role| seen_roles.insert(**role)));
                }
            }
        }
        parts.push(part);
    }
    parts
}

/// Subjects grouped by equal role sets, or roles by equal subject sets, whichever needs fewer requests.
fn cheapest(edges: &Edges) -> Vec<Product> {
    let by_subjects = group(edges.iter().map(|(role, subject)| (subject, role)));
    let by_roles = group(edges.iter().map(|(role, subject)| (role, subject)));
    if by_roles.len() <= by_subjects.len() {
        by_roles
    } else {
        by_subjects.into_iter().map(|(subjects, roles)| (roles, subjects)).collect()
    }
}

/// Groups keys that have equal sets of values.
fn group<'a, K: Ord + Clone + 'a, V: Ord + Clone + 'a>(
    pairs: impl Iterator<Item = (&'a K, &'a V)>,
) -> Vec<(BTreeSet<K>, BTreeSet<V>)> {
    let mut values: BTreeMap<&K, BTreeSet<&V>> = BTreeMap::new();
    for (key, value) in pairs {
        values.entry(key).or_default().insert(value);
    }
    let mut groups: BTreeMap<BTreeSet<&V>, BTreeSet<K>> = BTreeMap::new();
    for (key, values) in values {
        groups.entry(values).or_default().insert(key.clone());
    }
    groups.into_iter().map(|(values, keys)| (keys, values.into_iter().cloned().collect())).collect()
}

impl AclBatch {
    /// All entries of the product.
    pub fn entries(&self) -> impl Iterator<Item = AclKey> + '_ {
        self.roles.iter().flat_map(move |role| {
            self.subjects.iter().map(move |subject| AclKey {
                path: self.path.clone(),
                subject: subject.clone(),
                role: role.clone(),
            })
        })
    }

    /// Two halves that together are this request; `None` when it has one entry only.
    /// A request that fails is split until the culprit is alone: PVE writes all of it or nothing (FACTS 53).
    pub fn split(&self) -> Option<(Self, Self)> {
        if self.subjects.len() > 1 {
            let (left, right) = cut(&self.subjects, self.subjects.len() / 2);
            Some((Self { subjects: left, ..self.clone() }, Self { subjects: right, ..self.clone() }))
        } else {
            self.split_roles()
        }
    }

    /// Two halves by role; `None` when it has one role only.
    pub fn split_roles(&self) -> Option<(Self, Self)> {
        let half = (self.roles.len() > 1).then_some(self.roles.len() / 2)?;
        let (left, right) = cut(&self.roles, half);
        Some((Self { roles: left, ..self.clone() }, Self { roles: right, ..self.clone() }))
    }

    /// The request in pieces whose ids stay below a number of bytes.
    fn within(self, bytes: usize) -> Vec<Self> {
        let ids = self.roles.iter().map(|role| role.as_str().len()).sum::<usize>()
            + self.subjects.iter().map(|subject| subject.id().len()).sum::<usize>();
        // A character becomes at most three times as long when it is percent-encoded, and a separator likewise.
        let encoded = 3 * (ids + self.roles.len() + self.subjects.len() + self.path.as_str().len());
        match self.split() {
            Some((left, right)) if encoded > bytes => [left.within(bytes), right.within(bytes)].concat(),
            _ => vec![self],
        }
    }
}

fn cut<T: Ord + Clone>(set: &BTreeSet<T>, at: usize) -> (BTreeSet<T>, BTreeSet<T>) {
    (set.iter().take(at).cloned().collect(), set.iter().skip(at).cloned().collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::core::ids::GroupId;

    fn key(path: u8, role: u8, subject: u8) -> AclKey {
        AclKey {
            path: AclPath::observed(&format!("/vms/{}", 100 + u32::from(path))),
            subject: Subject::Group(GroupId::observed(&format!("g{subject}"))),
            role: RoleId::observed(&format!("R{role}")),
        }
    }

    /// The fewest products that cover exactly these edges, found by trying all.
    fn fewest(edges: &BTreeSet<(u8, u8)>) -> usize {
        fn cover(rest: &BTreeSet<(u8, u8)>, all: &BTreeSet<(u8, u8)>, budget: usize) -> bool {
            let Some(&(role, subject)) = rest.first() else { return true };
            if budget == 0 {
                return false;
            }
            let roles: Vec<u8> = all.iter().filter(|e| e.1 == subject && e.0 != role).map(|e| e.0).collect();
            (0..1u32 << roles.len()).any(|mask| {
                let mut side: BTreeSet<u8> =
                    roles.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0).map(|(_, r)| *r).collect();
                side.insert(role);
                let common: Vec<u8> = (0..4).filter(|s| side.iter().all(|r| all.contains(&(*r, *s)))).collect();
                let left = rest.iter().filter(|(r, s)| !(side.contains(r) && common.contains(s))).copied().collect();
                cover(&left, all, budget - 1)
            })
        }
        (0..=edges.len()).find(|budget| cover(edges, edges, *budget)).expect("one request per edge is always enough")
    }

    #[test]
    fn up_to_six_entries_need_as_few_requests_as_brute_force_finds() {
        // All ways to choose six or fewer of 4 roles × 4 subjects: larger sides only repeat these shapes.
        let cells: Vec<(u8, u8)> = (0..4).flat_map(|r| (0..4).map(move |s| (r, s))).collect();
        for mask in 1u32..1 << cells.len() {
            if mask.count_ones() > 6 {
                continue;
            }
            let edges: BTreeSet<(u8, u8)> =
                cells.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0).map(|(_, e)| *e).collect();
            let folded = fold(edges.iter().map(|(r, s)| (key(0, *r, *s), AclChange::Revoke)));
            assert_eq!(folded.len(), fewest(&edges), "{edges:?}");
        }
    }

    proptest! {
        #[test]
        fn a_batch_grants_exactly_what_was_claimed(
            entries in prop::collection::btree_set((0u8..3, 0u8..6, 0u8..8), 0..60),
        ) {
            let keys: BTreeSet<AclKey> = entries.iter().map(|(p, r, s)| key(*p, *r, *s)).collect();
            let batches = fold(keys.iter().map(|key| (key.clone(), AclChange::Grant { propagate: true })));
            let granted: BTreeSet<AclKey> = batches.iter().flat_map(AclBatch::entries).collect();
            prop_assert_eq!(granted, keys);
        }

        #[test]
        fn splitting_ends_with_the_single_entries(roles in 1u8..6, subjects in 1u8..6) {
            let batch = fold((0..roles).flat_map(|r| (0..subjects).map(move |s| (key(0, r, s), AclChange::Revoke))))
                .pop()
                .expect("one product");
            let (mut open, mut single) = (vec![batch], 0);
            while let Some(batch) = open.pop() {
                match batch.split() {
                    Some((left, right)) => open.extend([left, right]),
                    None => single += 1,
                }
            }
            prop_assert_eq!(single, usize::from(roles) * usize::from(subjects));
        }
    }
}

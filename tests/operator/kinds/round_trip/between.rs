//! What is between things: memberships and ACL entries.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::kinds::round_trip::objects::{Named, Round};
use crate::kinds::table::insert;

impl Round<'_> {
    /// Each from the side of the user, of the group, or both.
    pub fn memberships(&mut self, groups: &[Named], users: &[Named]) {
        let (staff, svc) =
            (Named { object: None, id: "staff".to_owned() }, Named { object: None, id: "svc@pve".to_owned() });
        let mut lists: BTreeMap<String, (&str, Vec<Value>)> = BTreeMap::new();
        let all_groups: Vec<&Named> = groups.iter().chain([&staff]).collect();
        for user in users.iter().chain([&svc]) {
            for group in self.random.some(&all_groups) {
                let side = self.random.below(3);
                let mut stands = false;
                if let (Some(object), true) = (&group.object, side != 0 || user.object.is_none()) {
                    let member = user.refer(self.random, "user");
                    lists.entry(object.clone()).or_insert(("members", Vec::new())).1.push(member);
                    stands = true;
                }
                if let (Some(object), true) = (&user.object, side != 1 || group.object.is_none()) {
                    let membership = group.refer(self.random, "group");
                    lists.entry(object.clone()).or_insert(("groups", Vec::new())).1.push(membership);
                    stands = true;
                }
                if stands {
                    let told = format!("member {} of {}", user.id, group.id);
                    let holder = group.object.as_ref().or(user.object.as_ref()).expect("one of ours").clone();
                    self.object(&holder).stands.push(told);
                }
            }
        }
        for (object, (field, list)) in lists {
            let policy = *self.random.pick(&["Additive", "Exact"]);
            let made = self.object(&object);
            insert(&mut made.spec, field, json!(list));
            insert(&mut made.spec, "membershipPolicy", json!(policy));
        }
    }

    /// Objects on one path agree on `propagate`, and own a path exactly only where nobody else has entries.
    pub fn entries(&mut self, roles: &[Named], subjects: &[(&str, &Named)], pools: &[Named]) {
        let mut places: Vec<(Value, String, bool)> = Vec::new();
        for (path, alone) in [("/", true), ("/vms", false), ("/vms/100", true), ("/nodes", true), ("/storage", false)] {
            places.push((json!({"path": path}), path.to_owned(), alone));
        }
        for pool in pools {
            let path = format!("/pool/{}", pool.id);
            let object = pool.object.as_ref().expect("one of ours");
            places.push((json!({"poolRef": {"name": object}}), path.clone(), true));
            places.push((json!({"path": path}), path, true));
        }
        // What others granted there is propagated.
        let mut propagates = BTreeMap::from([("/vms".to_owned(), true), ("/storage".to_owned(), true)]);
        for index in 0..self.random.below(5) {
            let (mut spec, path, alone) = self.random.pick(&places).clone();
            let propagate = *propagates.entry(path.clone()).or_insert_with(|| self.random.one_in(2));
            let first = [self.random.pick(roles), self.random.pick(roles)];
            let chosen_roles: BTreeMap<&str, &Named> = first.into_iter().map(|role| (role.id.as_str(), role)).collect();
            let mut chosen = self.random.some(subjects);
            if chosen.is_empty() {
                chosen.push(self.random.pick(subjects));
            }
            let mut stands = Vec::new();
            for (noun, subject) in &chosen {
                for role in chosen_roles.keys() {
                    stands.push(format!("entry {path} {role} {noun}:{} {}", subject.id, u8::from(propagate)));
                }
            }
            let roles: Vec<Value> = chosen_roles.values().map(|role| role.refer(self.random, "role")).collect();
            let subjects: Vec<Value> =
                chosen.iter().map(|(field, subject)| subject.refer(self.random, field)).collect();
            for (field, value) in
                [("roles", json!(roles)), ("subjects", json!(subjects)), ("propagate", json!(propagate))]
            {
                insert(&mut spec, field, value);
            }
            if alone && self.random.one_in(2) {
                insert(&mut spec, "entryPolicy", json!("Exact"));
            }
            self.make("ProxmoxAcl", &format!("entries-{index}"), spec, stands);
        }
    }
}

//! What becomes of `user.cfg` when somebody signs in.

use super::person::Person;
use super::realm::{GroupRules, Rules};
use super::refusal::Refusal;
use crate::sim::pve::user_cfg::{User, UserCfg};

impl Person {
    /// Whether letting the person in changes nothing, so that it needs no write.
    pub fn changes_nothing(&self, cfg: &UserCfg) -> bool {
        cfg.users.contains_key(&self.id) && self.groups.is_none()
    }
}

impl Rules {
    /// Lets a person in at `now`, in seconds since 1970: makes the user where that is wanted, and joins its groups.
    ///
    /// # Errors
    /// When the user does not exist and none is made, or when it may not log in.
    pub fn let_in(&self, person: &Person, cfg: &mut UserCfg, now: i64) -> Result<(), Refusal> {
        let Person { id, email, firstname, lastname, groups } = person;
        match cfg.users.get(id) {
            Some(user) if !user.may_log_in(now) => return Err(Refusal::Inactive(id.clone())),
            Some(_) => {}
            None if !self.creates_users => return Err(Refusal::Unknown(id.clone())),
            None => {
                let user = User {
                    enable: true,
                    expire: Some(0),
                    firstname: firstname.clone(),
                    lastname: lastname.clone(),
                    email: email.clone(),
                    ..User::default()
                };
                cfg.users.insert(id.clone(), user);
            }
        }
        let (Some(GroupRules { claim: _, creates, overwrites }), Some(groups)) = (&self.groups, groups) else {
            return Ok(());
        };
        if *overwrites {
            for group in cfg.groups.values_mut() {
                group.members.remove(id);
            }
        }
        for group in groups {
            if *creates {
                cfg.groups.entry(group.clone()).or_default();
            }
            if let Some(group) = cfg.groups.get_mut(group) {
                group.members.insert(id.clone());
            } else {
                tracing::warn!(realm = self.realm, group, "a group is not joined: it does not exist");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::person::Person;
    use super::super::realm::{GroupRules, Rules};
    use crate::sim::pve::user_cfg::UserCfg;

    const NOW: i64 = 1_000_000;

    fn rules(creates_users: bool, creates: bool, overwrites: bool) -> Rules {
        let groups = Some(GroupRules { claim: "groups".to_owned(), creates, overwrites });
        Rules { realm: "oid".to_owned(), name_claim: "sub".to_owned(), creates_users, groups }
    }

    fn ann(groups: Option<&[&str]>) -> Person {
        Person {
            id: "ann@oid".to_owned(),
            email: Some("ann@example.com".to_owned()),
            firstname: "Ann".to_owned(),
            lastname: "Lee".to_owned(),
            groups: groups.map(|groups| groups.iter().map(|&group| group.to_owned()).collect()),
        }
    }

    /// The groups of ann afterwards, with all groups that there are.
    fn after(before: &str, rules: &Rules, person: &Person) -> Result<String, String> {
        let mut cfg = UserCfg::parse(before);
        rules.let_in(person, &mut cfg, NOW).map_err(|refusal| refusal.to_string())?;
        let groups = cfg.groups.iter().map(|(id, group)| {
            let mark = if group.members.contains("ann@oid") { "+" } else { "" };
            format!("{mark}{id}")
        });
        Ok(groups.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn memberships_follow_the_claim() {
        let known = "user:ann@oid:1:0:::::\ngroup:hand:ann@oid::\ngroup:a-oid:::\n";
        let claimed: Option<&[&str]> = Some(&["a-oid", "b-oid"]);
        for (creates, overwrites, groups, expected) in [
            (false, false, claimed, "+a-oid +hand"),
            (false, true, claimed, "+a-oid hand"),
            (true, false, claimed, "+a-oid +b-oid +hand"),
            (true, true, Some(&[][..]), "a-oid hand"),
            (true, true, None, "a-oid +hand"),
        ] {
            let seen = after(known, &rules(false, creates, overwrites), &ann(groups));
            assert_eq!(seen.as_deref(), Ok(expected), "{creates} {overwrites} {groups:?}");
        }
    }

    #[test]
    fn only_active_users_get_in_and_unknown_ones_where_they_are_made() {
        for (before, creates_users, refused) in [
            ("", true, None),
            ("", false, Some("does not exist")),
            ("user:ann@oid:1:0:::::\n", false, None),
            ("user:ann@oid:0:0:::::\n", true, Some("disabled or expired")),
            ("user:ann@oid:1:1000001:::::\n", true, None),
            ("user:ann@oid:1:1000000:::::\n", true, Some("disabled or expired")),
        ] {
            let seen = after(before, &rules(creates_users, false, false), &ann(None)).err();
            assert_eq!(seen.is_some(), refused.is_some(), "{before} {seen:?}");
            assert!(seen.unwrap_or_default().contains(refused.unwrap_or_default()), "{before}");
        }
    }

    #[test]
    fn a_new_user_is_as_the_claims_say_and_a_known_one_stays() {
        let mut cfg = UserCfg::default();
        rules(true, false, false).let_in(&ann(None), &mut cfg, NOW).expect("in");
        assert!(cfg.write().contains("user:ann@oid:1:0:Ann:Lee:ann@example.com:"), "{}", cfg.write());
        let mut cfg = UserCfg::parse("user:ann@oid:1:0:Anna::::\n");
        rules(true, false, false).let_in(&ann(None), &mut cfg, NOW).expect("in");
        assert_eq!(cfg.users["ann@oid"].firstname, "Anna");
    }
}

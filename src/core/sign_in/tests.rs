//! What is said of a sign-in before anybody tries, as sentences.

use super::*;
use crate::core::plan::tests::fixtures::{self, empty, user, with};

/// A realm that lets everybody in with groups, and whom its client lets in.
struct Scene {
    realm: RealmId,
    options: BTreeMap<String, OptionValue>,
    snapshot: Snapshot,
    audience: Audience,
    endpoints: Vec<String>,
    asked: Vec<String>,
    provisions: bool,
}

fn alice() -> Person {
    Person {
        subject: "6b1f1c1e".to_owned(),
        name: Some("alice".to_owned()),
        groups: ["staff", "ops", "Night Shift"].map(str::to_owned).into(),
        ..Person::default()
    }
}

impl Scene {
    fn good() -> Self {
        let options = [
            ("username-claim", "username"),
            ("groups-claim", "groups"),
            ("scopes", "email profile groups"),
            ("autocreate", "1"),
        ];
        let samples = [
            ("alice", Sample::Admitted(alice())),
            ("mallory", Sample::TurnedAway),
            ("nobody", Sample::NoSuchUser),
            ("of another realm", Sample::TurnedAway),
        ];
        Self {
            realm: RealmId::observed("PocketID"),
            options: options.map(|(name, value)| (name.to_owned(), OptionValue::Plain(value.to_owned()))).into(),
            snapshot: with(empty(), [fixtures::group("staff-PocketID")]),
            audience: Audience {
                people: vec![alice()],
                expected: Vec::new(),
                asked_in: 0,
                callbacks: ["https://pve1.example.com:8006".to_owned()].into(),
                scopes: ["openid", "email", "profile", "groups"].map(str::to_owned).into(),
                samples: samples.map(|(user, sample)| (user.to_owned(), sample)).into(),
            },
            endpoints: vec!["https://pve1.example.com:8006".to_owned()],
            asked: ["alice", "mallory", "nobody"].map(str::to_owned).into(),
            provisions: false,
        }
    }

    fn set(&mut self, name: &str, value: &str) {
        self.options.insert(name.to_owned(), OptionValue::Plain(value.to_owned()));
    }

    fn unset(&mut self, name: &str) {
        self.options.remove(name);
    }

    fn sign_in(&self) -> SignIn<'_> {
        let Self { realm, options, snapshot, audience, endpoints, asked, provisions } = self;
        SignIn { realm, options, snapshot, endpoints, client: "proxmox", audience, asked, provisions: *provisions }
    }

    fn problems(&self) -> Vec<String> {
        self.sign_in().problems()
    }

    fn outcome(&self, user: &str) -> Option<Outcome> {
        self.sign_in().samples().remove(user)
    }
}

#[test]
fn a_realm_that_lets_people_in_with_their_groups_has_no_problem() {
    assert_eq!(Scene::good().problems(), [""; 0]);
}

#[test]
fn each_thing_that_keeps_people_out_is_said_with_what_to_do() {
    type Case = (fn(&mut Scene), &'static str);
    let cases: [Case; 9] = [
        (
            |scene| scene.endpoints.push("https://pve2.example.com:8006".to_owned()),
            "no callback URL of PocketIdClient proxmox covers https://pve2.example.com:8006: whoever signs in there is turned \
             away; add it, or use callbackUrlsFrom",
        ),
        (
            |scene| scene.set("scopes", "email profile"),
            "openid.scopes lacks groups, so that nobody gets a group; add it",
        ),
        // What Proxmox VE asks for by itself has no groups.
        (|scene| scene.unset("scopes"), "openid.scopes lacks groups, so that nobody gets a group; add it"),
        (
            |scene| scene.unset("groups-claim"),
            "openid.groups.claim is not set, so that nobody gets a group; set it to groups, or take the scope groups away",
        ),
        (
            |scene| scene.set("groups-claim", "group"),
            "openid.groups.claim is group and Pocket ID's is called groups, so that nobody gets a group; correct it",
        ),
        (
            |scene| scene.set("scopes", "email,profile groups;offline"),
            "Pocket ID does not know the scope offline; remove it",
        ),
        (
            |scene| scene.audience.people.clear(),
            "PocketIdClient proxmox lets nobody in; see its allowedGroups and who is in them",
        ),
        (
            |scene| scene.set("autocreate", "0"),
            "openid.users.autoCreate is off and no user of the realm exists in Proxmox VE, so that nobody gets in; turn it on, \
             or make users",
        ),
        (
            |scene| scene.unset("autocreate"),
            "openid.users.autoCreate is off and no user of the realm exists in Proxmox VE, so that nobody gets in; turn it on, \
             or make users",
        ),
    ];
    for (change, problem) in cases {
        let mut scene = Scene::good();
        change(&mut scene);
        assert_eq!(scene.problems(), [problem]);
    }
}

#[test]
fn what_may_be_meant_is_no_problem() {
    type Case = (&'static str, fn(&mut Scene));
    let cases: [Case; 6] = [
        ("a custom claim", |scene| scene.set("groups-claim", "entitlements")),
        ("no groups at all", |scene| {
            scene.unset("groups-claim");
            scene.set("scopes", "email profile");
        }),
        ("scopes that were not read", |scene| {
            scene.audience.scopes.clear();
            scene.set("scopes", "groups offline");
        }),
        ("users that are made before", |scene| {
            scene.unset("autocreate");
            scene.provisions = true;
        }),
        ("a user who is there", |scene| {
            scene.unset("autocreate");
            scene.snapshot = with(empty(), [user("bob@PocketID")]);
        }),
        ("a callback with a star", |scene| {
            scene.audience.callbacks = ["https://*.example.com:8006".to_owned()].into();
        }),
    ];
    for (what, change) in cases {
        let mut scene = Scene::good();
        change(&mut scene);
        assert_eq!(scene.problems(), [""; 0], "{what}");
    }
    let mut another = Scene::good();
    another.unset("autocreate");
    another.snapshot = with(empty(), [user("bob@pve")]);
    assert_eq!(another.problems().len(), 1, "a user of another realm gets nobody in");
}

#[test]
fn a_sample_says_who_somebody_would_be_and_with_which_groups() {
    let gets = |scene: &Scene| scene.outcome("alice").expect("an answer");
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let mut scene = Scene::good();
    let expected = |groups: &[&str], ignored: &[&str]| Outcome {
        user: Ok("alice@PocketID".to_owned()),
        groups: named(groups),
        ignored: named(ignored),
    };
    assert_eq!(gets(&scene), expected(&["staff-PocketID"], &["Night Shift", "ops"]), "only groups that are there");
    scene.set("groups-autocreate", "1");
    assert_eq!(
        gets(&scene),
        expected(&["ops-PocketID", "staff-PocketID"], &["Night Shift"]),
        "all that may be called so"
    );
    scene.set("scopes", "email");
    assert_eq!(gets(&scene), expected(&[], &["Night Shift", "ops", "staff"]), "nothing is told without the scope");
}

#[test]
fn a_sample_says_why_somebody_does_not_get_in() {
    let why = |scene: &Scene, user: &str| scene.outcome(user).expect("an answer").user.expect_err("turned away");
    let mut scene = Scene::good();
    assert_eq!(why(&scene, "mallory"), Refused::TurnedAway);
    assert_eq!(why(&scene, "nobody"), Refused::NoSuchUser);
    scene.snapshot = with(empty(), [user("alice@PocketID")]);
    let users = scene.snapshot.users.as_mut().expect("users");
    for user in users.values_mut() {
        user.enabled = false;
    }
    let disabled = "alice@PocketID is disabled in Proxmox VE";
    assert_eq!(why(&scene, "alice"), Refused::ByProxmoxVe(disabled.to_owned()));
    scene.snapshot = empty();
    scene.unset("autocreate");
    let unknown = "alice@PocketID does not exist in Proxmox VE, and openid.users.autoCreate is off";
    assert_eq!(why(&scene, "alice"), Refused::ByProxmoxVe(unknown.to_owned()));
    scene.set("username-claim", "upn");
    let claim = "who has the claim upn is not known before the sign-in";
    assert_eq!(why(&scene, "alice"), Refused::ByProxmoxVe(claim.to_owned()));
}

#[test]
fn a_realm_shows_the_samples_that_it_asks_for_and_no_others() {
    let scene = Scene::good();
    let sign_in = scene.sign_in();
    let asked: Vec<&str> = sign_in.samples().into_keys().collect();
    assert_eq!(asked, ["alice", "mallory", "nobody"]);
}

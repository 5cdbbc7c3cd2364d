//! What is taken for an identifier, and what is not.

use super::*;

#[test]
fn ids_that_pve_breaks_on_are_refused() {
    for id in ["", "0", "a b", "a\n", "ä", "a/b", "a@b"] {
        assert!(GroupId::parse(id).is_err(), "{id:?}");
    }
    for id in ["a@pve\n", "a,b@pve", "a;b@pve", "a b@pve", "a:b@pve", "a/b@pve", "@pve", "a@1x", "a\u{7f}@pve", "a"] {
        assert!(UserId::parse(id).is_err(), "{id:?}");
    }
    for id in ["", "/a", "a/", "a//b", "a/b/c/d", "1a", "a/1b", "a/../b", "a b"] {
        assert!(PoolId::parse(id).is_err(), "{id:?}");
    }
    for id in ["", "99", "0100", "1000000000", "1e5", "-1"] {
        assert!(GuestId::parse(id).is_err(), "{id:?}");
    }
    for id in ["", "a", "1abc", "x/y", "bad id"] {
        assert!(StorageId::parse(id).is_err(), "{id:?}");
    }
    for path in ["", "vms", "//", "/vms/", "/a//b", "/a/../b", "/a b", "/ä", "/vms/100\n"] {
        assert!(AclPath::parse(path).is_err(), "{path:?}");
    }
    for id in ["a", "1a", "a b", "-ab", "ab\n", "a23456789012345678901234567890123"] {
        assert!(RealmId::parse(id).is_err(), "{id:?}");
    }
}

#[test]
fn ids_that_pve_keeps_are_taken() {
    for id in ["00", "a", "...", "proxmox_users-PocketID", "A.b-c_9"] {
        assert!(GroupId::parse(id).is_ok(), "{id:?}");
    }
    for id in ["a@pve", "a@b.c@PocketID", "ä!%@pve"] {
        assert!(UserId::parse(id).is_ok(), "{id:?}");
    }
    assert!(TokenId::parse("a@pve!ab").is_ok());
    assert!(TokenId::parse("a@pve!a").is_err());
    assert!(ClusterId::parse(&["AB"; 32].join(":")).is_ok());
    assert!(ClusterId::parse(&["AB"; 31].join(":")).is_err());
    for path in ["/", "/vms/100", "/pool/a/b/c"] {
        assert!(AclPath::parse(path).is_ok(), "{path:?}");
    }
}

#[test]
fn a_path_knows_what_lies_above_it() {
    let up = |path| AclPath::observed(path).upwards().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(up("/a/b"), ["/a/b", "/a", "/"]);
    assert_eq!(up("/"), ["/"]);
    assert!(AclPath::observed("/a/b").is_within(&AclPath::root()));
    assert!(!AclPath::observed("/ab").is_within(&AclPath::observed("/a")));
}

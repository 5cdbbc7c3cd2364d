//! What every kind must do, on tables: the sentences are the same for all, the rows are each kind's own.

mod acl;
mod argocd;
mod bench;
mod drift;
mod group;
mod life;
mod pool;
mod realm;
mod rights;
mod role;
mod round_trip;
mod sets;
mod standing;
mod table;
mod token;
mod user;

use std::collections::BTreeSet;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use proxmox_identity::api::crd;

use crate::parameters::parameter;
use table::Table;

/// Makes a test of each sentence.
macro_rules! sentences {
    ($($theme:ident::$sentence:ident,)*) => {
        $(
            #[tokio::test]
            async fn $sentence() {
                crate::kinds::$theme::$sentence(table()).await;
            }
        )*
    };
}

/// The sentences about a thing that is made and removed.
macro_rules! of_what_is_made {
    () => {
        crate::kinds::sentences! {
            life::created_it_stands_as_its_spec_says,
            life::a_second_pass_writes_nothing,
            life::each_changed_field_is_changed_and_no_other,
            life::each_unset_field_is_no_longer_managed,
            life::deleted_it_is_gone,
            life::orphaned_it_stays,
            drift::each_field_broken_by_hand_is_corrected_and_told,
            drift::removed_by_hand_it_is_made_again_and_told,
            drift::observed_it_lists_what_differs_and_writes_nothing,
            standing::what_stands_alike_is_taken_over_and_left,
            standing::what_stands_otherwise_is_refused_by_the_field,
            standing::what_stands_otherwise_is_overwritten_where_that_is_allowed,
            rights::too_few_rights_are_told_until_they_are_granted,
            rights::too_few_rights_block_its_deletion_until_they_are_granted,
            argocd::argo_cd_tells_its_health_in_every_state,
            argocd::argo_cd_sees_no_difference_when_it_is_ready,
        }
    };
}

/// The sentences about a thing of which only the settings are managed.
macro_rules! of_what_is_always_there {
    () => {
        crate::kinds::sentences! {
            life::its_settings_are_made_as_its_spec_says,
            life::a_second_pass_writes_nothing,
            life::each_changed_field_is_changed_and_no_other,
            life::each_unset_field_is_no_longer_managed,
            life::deleted_it_leaves_its_settings,
            drift::each_field_broken_by_hand_is_corrected_and_told,
            drift::observed_it_lists_other_settings_and_writes_nothing,
            rights::too_few_rights_are_told_until_they_are_granted,
            argocd::argo_cd_tells_its_health_in_every_state,
            argocd::argo_cd_sees_no_difference_when_it_is_ready,
        }
    };
}

/// The sentence about fields that can be cleared.
macro_rules! of_what_can_be_empty {
    () => {
        crate::kinds::sentences! { life::each_emptied_field_is_cleared, }
    };
}

/// The sentence about references.
macro_rules! of_what_refers {
    () => {
        crate::kinds::sentences! { life::what_it_refers_to_is_waited_for, }
    };
}

/// The sentences about lists whose elements are claimed one by one.
macro_rules! of_sets {
    () => {
        crate::kinds::sentences! {
            sets::an_additive_set_keeps_its_own_and_lets_others_be,
            sets::an_exact_set_has_only_what_is_declared,
            sets::an_observed_exact_set_lists_what_is_too_much_and_too_little,
        }
    };
}

/// The sentence about lists that need not be managed.
macro_rules! of_sets_that_can_be_ignored {
    () => {
        crate::kinds::sentences! { sets::an_ignored_set_is_left_alone, }
    };
}

use {of_sets, of_what_is_always_there, of_what_is_made, sentences};
use {of_sets_that_can_be_ignored, of_what_can_be_empty, of_what_refers};

/// All tables.
fn all() -> Vec<Table> {
    vec![
        group::table(),
        role::table(),
        user::table(),
        token::table(),
        pool::table(),
        acl::table(),
        realm::openid::table(),
        realm::directory::ldap::table(),
        realm::directory::ad::table(),
        realm::pam::table(),
        realm::pve::table(),
    ]
}

/// The kinds for which nothing is written to Proxmox VE.
pub const READING: [&str; 3] = ["ProxmoxConnection", "ClusterProxmoxConnection", "ProxmoxAccessCheck"];

/// The kinds of Pocket ID, which `tests/operator/pocket_id` tries.
pub const OF_POCKET_ID: [&str; 3] = ["PocketIdConnection", "PocketIdGroup", "PocketIdClient"];

#[test]
fn every_kind_that_is_written_has_a_table() {
    let other = |kind: &String| READING.iter().chain(&OF_POCKET_ID).any(|other| other == kind);
    let kinds = crd::all().into_iter().map(|crd| crd.spec.names.kind).filter(|kind| !other(kind));
    let tables: BTreeSet<String> = all().iter().map(|table| table.kind.to_owned()).collect();
    assert_eq!(kinds.collect::<BTreeSet<_>>(), tables);
}

#[test]
fn every_field_of_every_kind_has_a_row_or_is_tested_elsewhere() {
    for crd in crd::all() {
        let name = crd.spec.names.kind;
        let tables: Vec<Table> = all().into_iter().filter(|table| table.kind == name).collect();
        let Some(schema) = crd.spec.versions[0].schema.as_ref().and_then(|it| it.open_api_v3_schema.as_ref()) else {
            panic!("{name} has no schema")
        };
        let spec = &schema.properties.as_ref().expect("properties")["spec"];
        for leaf in leaves(spec, "").into_iter().filter(|leaf| !tables.is_empty() && !is_shared(leaf)) {
            let covered = tables.iter().any(|table| {
                let rows = table.fields.iter().map(|field| field.path);
                let sets = table.sets.iter().flat_map(|set| [set.path, set.policy]);
                let named = rows.chain(sets).chain(table.elsewhere.iter().copied());
                let fixed = table.fixed.pointer(&format!("/{leaf}")).is_some();
                fixed || named.into_iter().any(|path| leaf == path || leaf.starts_with(&format!("{path}/")))
            });
            assert!(covered, "{name} has no row for {leaf}");
        }
    }
}

#[test]
fn every_row_has_the_parameter_that_the_documentation_names() {
    for table in all() {
        for field in &table.fields {
            let children = ["", ".name", ".scope", ".oath.digits"];
            let path = field.path.replace('/', ".");
            let told = children.iter().find_map(|child| parameter(table.kind, &format!("{path}{child}")));
            let told = told.unwrap_or_else(|| panic!("tests/support/parameters.rs lacks {} {path}", table.kind));
            assert!(told.contains(&format!("`{}`", field.name)), "{} {path}: {told} and {}", table.kind, field.name);
        }
    }
}

/// Fields that all kinds share: the sentences are about them.
fn is_shared(path: &str) -> bool {
    let shared = ["connectionRef", "managementPolicy", "adoptionPolicy", "deletionPolicy", "suspend"];
    path.split('/').next().is_some_and(|first| shared.contains(&first))
}

/// The paths of all fields without fields of their own.
fn leaves(schema: &JSONSchemaProps, path: &str) -> Vec<String> {
    let Some(properties) = schema.properties.as_ref().filter(|properties| !properties.is_empty()) else {
        return vec![path.to_owned()];
    };
    let below = |name: &String| if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
    properties.iter().flat_map(|(name, schema)| leaves(schema, &below(name))).collect()
}

//! What Pocket ID says of itself (recording `health-version-discovery`).

use serde_json::{Value, json};

use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::tables::Tables;

/// The public settings of an otherwise untouched instance. None can be changed here.
const SETTINGS: [(&str, &str, &str); 12] = [
    ("appName", "", "Pocket ID"),
    ("homePageUrl", "", "/settings/account"),
    ("accentColor", "", "default"),
    ("disableAnimations", "", "false"),
    ("allowOwnAccountEdit", "", "true"),
    ("allowUserSignups", "", "disabled"),
    ("requireUserEmail", "", "true"),
    ("emailOneTimeAccessAsUnauthenticatedEnabled", "", "false"),
    ("emailOneTimeAccessAsAdminEnabled", "", "false"),
    ("emailVerificationEnabled", "", "false"),
    ("ldapEnabled", "", "false"),
    ("uiConfigDisabled", "boolean", "false"),
];

/// `GET /healthz`
pub fn health(_: &Call<'_>, _: &Tables) -> Answer {
    Answer::no_content()
}

/// `GET /api/version/current`
pub fn version(call: &Call<'_>, _: &Tables) -> Answer {
    Answer::ok(&json!({ "currentVersion": call.release().version() }))
}

/// `GET /api/version/latest`: the check for new versions is off.
pub fn latest_version(_: &Call<'_>, _: &Tables) -> Answer {
    Answer::ok(&json!({ "latestVersion": "" }))
}

/// `GET /api/application-configuration`
pub fn configuration(_: &Call<'_>, _: &Tables) -> Answer {
    let shown = |(key, kind, value): (&str, &str, &str)| json!({ "key": key, "type": kind, "value": value });
    Answer::ok(&SETTINGS.into_iter().map(shown).collect::<Value>())
}

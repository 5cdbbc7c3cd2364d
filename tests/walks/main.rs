//! Random walks over the CRDs, in the manner of Acto: declarations that are right and wrong, and edits behind the operator's
//! back, against a model of what should stand. What goes wrong is shrunk to a short script.
//!
//! `WALK_DECLARATIONS=100000` walks so far, and `WALK_SEED=7` walks the same way again; `WALK_ONLY=3` only the walk of that
//! number. `WALK_PLAY=FILE` plays a script that goes wrong, and shrinks it. `WALK_LOG=debug` has the operator log less than
//! everything, and `WALK_OPERATOR=FILE` is another operator, such as one with a planted defect.

#[path = "../support/canary.rs"]
mod canary;
mod clients;
mod compare;
#[path = "../support/defect.rs"]
mod defect;
mod delivered;
mod edit;
mod generate;
mod ground;
mod judge;
mod log;
mod meaning;
mod mend;
mod mutate;
mod names;
#[path = "../support/parameters.rs"]
mod parameters;
mod pocket;
mod policy;
mod random;
mod run;
mod schema;
mod script;
mod seen;
mod shown;
mod shrink;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod tokens;
mod touch;
mod walk;

//! All that one credential holds, path by path: asked of thousands of paths at once.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::evaluate::{Rights, Roles, Source, roles};
use super::view::{Entry, View};
use super::{DEFAULT_PATHS, Pool, Privileges};
use crate::core::ids::{AclPath, above};

impl<'a> Rights<'a> {
    /// Every path where something is held, among the default paths, the paths of the ACL with all above them
    /// (recording `acl-paths-valid`) and the members of pools: what `GET /access/permissions` lists without a path.
    pub fn everywhere(&self) -> BTreeMap<AclPath, Arc<Privileges>> {
        let views = match &self.source {
            Source::Everything => return self.all(),
            Source::Nothing(_) => return BTreeMap::new(),
            Source::Views(views) => views,
        };
        if views.iter().any(View::is_empty) {
            return BTreeMap::new();
        }
        // Few combinations of roles stand on many paths, and many paths lie below few.
        let mut known: HashMap<Vec<Roles<'a>>, Arc<Privileges>> = HashMap::new();
        let mut passed_on: HashMap<&str, Vec<Vec<Entry<'a>>>> = HashMap::new();
        let mut held = Vec::new();
        let mut look = |path: &str, roles: Vec<Roles<'a>>| {
            if roles.iter().any(Vec::is_empty) {
                return;
            }
            let privileges = known.entry(roles).or_insert_with_key(|roles| Arc::new(self.common(roles)));
            if !privileges.is_empty() {
                held.push((AclPath::observed(path), privileges.clone()));
            }
        };
        for path in self.listed_paths() {
            let parent = above(path).unwrap_or_default();
            let above = || views.iter().map(|view| view.inherited(path)).collect();
            let above: &Vec<Vec<Entry<'a>>> = passed_on.entry(parent).or_insert_with(above);
            let counting = views.iter().zip(above).map(|(view, above)| {
                let direct = view.here(path).unwrap_or_else(|| above.clone());
                roles(&self.with_pools(view, path, direct))
            });
            look(path, counting.collect());
        }
        let nothing_below = |top: &str| views.iter().any(|view| view.inherited(top).is_empty());
        let (no_guests, no_storages) = (nothing_below("/vms/"), nothing_below("/storage/"));
        for (id, pool) in &self.directory.pools {
            // Entries of a member itself were looked at above.
            let reaches = views.iter().any(|view| !view.entries(id.acl_path().as_str()).is_empty());
            let guests = (reaches || !no_guests).then(|| pool.guest_paths());
            let storages = (reaches || !no_storages).then(|| pool.storage_paths());
            for path in guests.into_iter().flatten().chain(storages.into_iter().flatten()) {
                look(&path, self.roles(views, &path));
            }
        }
        held.into_iter().collect()
    }

    /// What `root@pam` holds.
    fn all(&self) -> BTreeMap<AclPath, Arc<Privileges>> {
        let all = Arc::new(self.directory.all_privileges());
        let mut paths: Vec<String> = self.listed_paths().into_iter().map(str::to_owned).collect();
        paths.extend(self.directory.pools.values().flat_map(Pool::paths));
        let with_all = paths.iter().map(|path| (AclPath::observed(path), all.clone()));
        with_all.filter(|(_, privileges)| !privileges.is_empty()).collect()
    }

    /// The default paths, and those of the ACL with all above them; a few of them twice.
    fn listed_paths(&self) -> Vec<&str> {
        let mut paths = DEFAULT_PATHS.to_vec();
        let mut last = "";
        for path in self.directory.acl.keys().map(|key| key.path.as_str()) {
            // Entries of one path follow one another, and what is above the last one is there already.
            let is_new =
                |at: &&str| !last.strip_prefix(*at).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            paths.extend(std::iter::successors(Some(path), |path| above(path)).take_while(is_new));
            last = path;
        }
        paths
    }
}

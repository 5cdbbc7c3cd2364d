//! Where a page is done: Proxmox VE and Pocket ID side by side, the operator, and a copy of the examples with what a reader
//! puts into them.

use std::fs;
use std::path::Path;

use kube::api::DynamicObject;
use proxmox_identity::sim::browser::{Browser, SignedIn, TurnedAway};
use proxmox_identity::sim::{pocket_id, pve};

use super::page;
use crate::world::World;

/// People of Pocket ID, who are in no group yet.
const PEOPLE: [&str; 3] = ["alice", "bob", "mallory"];

/// The realm that people sign in with.
pub const REALM: &str = "PocketID";

/// All that a reader has.
pub struct Place {
    pub world: World,
    pub pocket_id: pocket_id::Simulator,
    /// A checkout: there commands are typed.
    pub checkout: tempfile::TempDir,
}

impl Place {
    /// With an operator, and the connections that pages speak of.
    pub async fn new() -> Self {
        let place = Self::bare().await;
        place.world.start_operator().connect_as("proxmox", "proxmox", &place.world.pve.token(), "").await;
        for name in ["secrets/example.yaml", "connections.yaml"] {
            let file = root().join("examples/pocket-id").join(name);
            let manifests = fs::read_to_string(file).expect("a text");
            for object in place.parsed(&manifests).iter().filter(|it| it.metadata.name.as_deref() == Some("pocket-id"))
            {
                place.world.put(object).await;
            }
        }
        place
    }

    /// Without connections and without an operator.
    pub async fn bare() -> Self {
        let options = pocket_id::Options { release: pocket_id::Release::V2_14, ..pocket_id::Options::default() };
        let pocket_id = pocket_id::Simulator::start(options).await.expect("a simulator");
        for user in PEOPLE {
            pocket_id.add_user(user, &[]).expect("a user");
        }
        let trust_ca = Some(pocket_id.ca_pem().to_owned());
        let world = World::with(pve::Options { time_scale: 0.02, trust_ca, ..pve::Options::default() }).await;
        let place = Self { world, pocket_id, checkout: tempfile::tempdir().expect("a folder") };
        for folder in ["access-rules", "pocket-id", "pocket-id/secrets"] {
            place.copy(folder);
        }
        place
    }

    /// Takes an example along, with what a reader puts into it.
    fn copy(&self, name: &str) {
        let folder = self.checkout.path().join("examples").join(name);
        fs::create_dir_all(&folder).expect("a folder");
        for entry in fs::read_dir(root().join("examples").join(name)).expect("an example") {
            let path = entry.expect("an entry").path();
            if let (true, Some(file)) = (path.is_file(), path.file_name()) {
                let text = fs::read_to_string(&path).expect("a text");
                fs::write(folder.join(file), self.personal(&text)).expect("a file");
            }
        }
    }

    /// A text with what the page cannot know.
    fn personal(&self, text: &str) -> String {
        // Nobody is to wait for a minute here until the operator looks again.
        let looked_at = text.replace("spec:\n  endpoints:", "spec:\n  resyncInterval: 1s\n  endpoints:");
        page::personal_for(&page::personal(&looked_at, &self.world.pve), &self.pocket_id)
    }

    /// A line that the page says is printed, with where things are here.
    pub fn printed(&self, line: &str) -> String {
        line.replace("https://id.example.com", &self.pocket_id.url())
            .replace("https://pve1.example.com:8006", &self.world.pve.url())
    }

    /// The manifests of a page.
    pub fn parsed(&self, manifests: &str) -> Vec<DynamicObject> {
        let text = self.personal(manifests);
        serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    /// Somebody signs in at Proxmox VE with Pocket ID.
    pub async fn sign_in(&self, user: &str) -> Result<SignedIn, TurnedAway> {
        Browser::new(&self.world.pve, &self.pocket_id).expect("a browser").sign_in(REALM, user).await
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

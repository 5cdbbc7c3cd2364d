//! Whom the clients of Pocket ID let in that realms refer to: asked now and then, beside the passes, so that a Pocket ID
//! that does not answer holds nothing up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use crate::api::{Object as _, PocketIdClient, PocketIdGroup, ProxmoxRealm};
use crate::controller::Context;
use crate::controller::connections::ConnectionKey;
use crate::controller::kinds::AnyObject;
use crate::controller::managed::Managed;
use crate::controller::observer::Observer;
use crate::controller::pocket_id::{self, PocketIdObject};
use crate::core::object::Mode;
use crate::core::pocket_id::audience::Audience;
use crate::core::pocket_id::ids::ClientId;
use crate::core::pocket_id::wants::{client_id, group_name};
use crate::core::sign_in::DEFAULT_SCOPES;
use crate::https::observer::CallObserver;
use crate::permit::Permit;
use crate::pocket_id::client::Client;

/// How long a pass waits for a first answer: so that a restart does not say first that nothing is known.
const FIRST: Duration = Duration::from_secs(3);

/// An answer: whom a client lets in, or why that is not known.
pub(super) type Answer = Result<Audience, String>;

/// What is known of the audiences of clients, by namespace and the name of the client's object.
#[derive(Default)]
pub(super) struct Audiences(BTreeMap<(String, String), Asked>);

/// What is asked of a client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Question {
    client: String,
    /// The members that the groups which it lets in are to have.
    declared: BTreeSet<String>,
    samples: BTreeSet<String>,
    scopes: BTreeSet<String>,
}

struct Asked {
    question: Question,
    at: Instant,
    /// The pass in which it was asked.
    pass: u64,
    /// What had been written there when it was asked.
    changes: u64,
    coming: Option<oneshot::Receiver<Answer>>,
    known: Option<Answer>,
}

impl Audiences {
    /// What is known of the client of a name in a namespace.
    pub fn of(&self, namespace: &str, client: &str) -> Option<&Answer> {
        self.0.get(&(namespace.to_owned(), client.to_owned()))?.known.as_ref()
    }

    /// All that is known of a namespace.
    pub fn within<'a>(&'a self, namespace: &'a str) -> impl Iterator<Item = (&'a str, &'a Answer)> {
        let ours = self.0.iter().filter(move |((of, _), _)| of == namespace);
        ours.filter_map(|((_, client), asked)| Some((client.as_str(), asked.known.as_ref()?)))
    }

    /// Asks for the audiences that it is time for; whoever answers later wakes the connection. Each answer that was asked for
    /// until the pass `missed`, in which somebody was first seen who is in none, is old.
    pub async fn look(&mut self, by: &Asker<'_>, objects: &[AnyObject], missed: Option<u64>) {
        let context = by.context;
        let questions = questions(objects, context);
        self.0.retain(|key, _| questions.contains_key(key));
        for (key, question) in questions {
            let before = self.0.remove(&key).filter(|asked| asked.question == question);
            let asked = match before {
                Some(mut asked) => {
                    asked.take();
                    let is_old = asked.at.elapsed() >= every(context, &key)
                        || asked.changes != changes(context, &key)
                        || missed.is_some_and(|missed| asked.pass <= missed);
                    if asked.coming.is_none() && is_old {
                        let known = asked.known.take();
                        asked = Asked { known, ..by.ask(&key, question) };
                    }
                    asked
                }
                None => by.ask(&key, question),
            };
            self.0.insert(key, asked);
        }
        let first = self.0.values_mut().filter(|asked| asked.known.is_none()).map(Asked::first);
        futures::future::join_all(first).await;
    }
}

impl Asked {
    fn take(&mut self) {
        let Some(coming) = &mut self.coming else { return };
        match coming.try_recv() {
            Ok(answer) => self.known = Some(answer),
            Err(oneshot::error::TryRecvError::Empty) => return,
            Err(oneshot::error::TryRecvError::Closed) => {}
        }
        self.coming = None;
    }

    async fn first(&mut self) {
        if let Some(coming) = &mut self.coming
            && let Ok(answer) = tokio::time::timeout(FIRST, coming).await
        {
            self.coming = None;
            self.known = answer.ok();
        }
    }
}

/// What is to be asked for these objects.
fn questions(objects: &[AnyObject], context: &Context) -> BTreeMap<(String, String), Question> {
    let mut questions: BTreeMap<(String, String), Question> = BTreeMap::new();
    for any in objects.iter().filter(|any| matches!(any.mode(), Mode::Manage | Mode::Observe)) {
        let AnyObject::Realm(realm) = any else { continue };
        for (name, samples) in clients(realm) {
            let Some(client) = context.index.pocket_id_client(any.namespace(), name) else { continue };
            let question = questions.entry((any.namespace().to_owned(), name.to_owned())).or_default();
            client_id(&client).clone_into(&mut question.client);
            question.declared = declared(context, any.namespace(), &client);
            question.samples.extend(samples.iter().cloned());
            let scopes = realm.spec.openid.as_ref().and_then(|openid| openid.scopes.clone()).unwrap_or_default();
            if scopes.is_empty() {
                question.scopes.extend(DEFAULT_SCOPES.map(str::to_owned));
            }
            question.scopes.extend(scopes);
        }
    }
    questions
}

/// The members that objects declare of the groups that a client lets in.
fn declared(context: &Context, namespace: &str, client: &PocketIdClient) -> BTreeSet<String> {
    let allowed = &client.spec.allowed_groups;
    let lets_in = |group: &Arc<PocketIdGroup>| {
        group.management().connection_ref == client.management().connection_ref
            && PocketIdObject::Group(Arc::clone(group)).mode() == Mode::Manage
            && allowed.iter().any(|it| {
                it.group.as_deref() == Some(group_name(group))
                    || it.group_ref.as_ref().is_some_and(|it| it.name == group.name())
            })
    };
    let groups = context.index.pocket_id_groups(namespace).into_iter();
    groups.filter(lets_in).flat_map(|group| group.spec.members.clone()).collect()
}

/// The clients that a realm refers to, each with the users that it asks about there.
fn clients(realm: &ProxmoxRealm) -> Vec<(&str, &[String])> {
    let Some(openid) = &realm.spec.openid else { return Vec::new() };
    let users = openid.users.as_ref();
    let samples: &[String] = users.map_or(&[], |users| &users.samples);
    let source = users.and_then(|users| users.source.as_ref()?.pocket_id_client_ref.as_ref());
    let of_realm = openid.client_ref.as_ref().map(|client| (client.name.as_str(), samples));
    of_realm.into_iter().chain(source.map(|client| (client.name.as_str(), &[][..]))).collect()
}

/// On whose behalf it is asked.
pub(super) struct Asker<'a> {
    pub context: &'a Arc<Context>,
    pub permit: &'a Permit,
    /// Woken by answers.
    pub wake: &'a Arc<Notify>,
    /// The number of the pass.
    pub pass: u64,
}

impl Asker<'_> {
    fn ask(&self, key: &(String, String), question: Question) -> Asked {
        let Self { context, permit, wake, pass } = *self;
        let (say, coming) = oneshot::channel();
        let changes = changes(context, key);
        let connection = connection_of(context, key);
        let (context, permit, wake) = (Arc::clone(context), permit.clone(), Arc::clone(wake));
        let asking = question.clone();
        tokio::spawn(async move {
            let answer = match connection {
                Some(key) => answer(&context, &permit, &key, &asking).await,
                None => Err("the PocketIdClient is gone".to_owned()),
            };
            let answer = answer.map(|audience| Audience { asked_in: pass, ..audience });
            // Nobody listens any more when something else is asked meanwhile.
            if say.send(answer).is_ok() {
                wake.notify_one();
            }
        });
        Asked { question, at: Instant::now(), pass, changes, coming: Some(coming), known: None }
    }
}

/// The connection of a client's object.
fn connection_of(context: &Context, (namespace, name): &(String, String)) -> Option<ConnectionKey> {
    let client = context.index.pocket_id_client(namespace, name)?;
    Some(ConnectionKey::pocket_id(namespace, &client.management().connection_ref.name))
}

/// How soon it is asked again.
fn every(context: &Context, key: &(String, String)) -> Duration {
    let connection = connection_of(context, key).and_then(|key| context.index.pocket_id(&key));
    connection.map_or(Duration::from_mins(1), |connection| connection.spec.resync_interval())
}

fn changes(context: &Context, key: &(String, String)) -> u64 {
    connection_of(context, key).map_or(0, |connection| context.changes.of(&connection))
}

async fn answer(context: &Arc<Context>, permit: &Permit, key: &ConnectionKey, question: &Question) -> Answer {
    let Some(connection) = context.index.pocket_id(key) else {
        return Err(format!("{} does not exist", key.short()));
    };
    if connection.spec.suspend {
        return Err(format!("{} is suspended", key.short()));
    }
    let not_ready = |message: String| format!("{} cannot be read: {message}", key.short());
    let settings = pocket_id::settings(context, &connection).await.map_err(|refusal| not_ready(refusal.message))?;
    let observer: Arc<dyn CallObserver> = Arc::new(Observer::new(context, key));
    let client = Client::new(&settings, &observer).map_err(|error| not_ready(error.to_string()))?;
    let read = async {
        let session = client.connect(permit).await?;
        let scopes: Vec<String> = question.scopes.iter().cloned().collect();
        session.audience(&ClientId::observed(&question.client), &question.declared, &question.samples, &scopes).await
    };
    match read.await {
        Ok(Some(audience)) => Ok(audience),
        Ok(None) => Err(format!("client {} does not stand in Pocket ID yet", question.client)),
        Err(failure) => Err(not_ready(failure.message)),
    }
}

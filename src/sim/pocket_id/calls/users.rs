//! Users (FACTS 4, recordings `user-crud`, `user-validation`).

use serde_json::Value;

use crate::sim::clock::now;
use crate::sim::lock::lock;
use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::check::{Check, Rule};
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::fields::Fields;
use crate::sim::pocket_id::listing::{Column, Key, Query};
use crate::sim::pocket_id::server::Server;
use crate::sim::pocket_id::tables::{Group, Tables, User};
use crate::sim::secrets::random_uuid;

/// The rules of user names.
pub const USERNAME: [Rule; 3] = [Rule::Required, Rule::Username, Rule::Max(50)];

/// `GET /api/users`
pub fn list(call: &Call<'_>, tables: &Tables) -> Answer {
    let query = Query::read(&call.request.query);
    let found = |user: &&User| {
        let email = user.email.as_deref().unwrap_or_default();
        query.finds(&[&user.username, email, &user.first_name, &user.last_name])
    };
    let columns: [Column<&User>; 9] = [
        Column::new("username", |user| Key::from(user.username.as_str())),
        Column::new("email", |user| Key::from(user.email.as_deref())),
        Column::new("firstName", |user| Key::from(user.first_name.as_str())),
        Column::new("lastName", |user| Key::from(user.last_name.as_str())),
        Column::new("displayName", |user| Key::from(user.display_name.as_str())),
        Column::new("createdAt", |user| Key::Number(user.created_at)),
        Column::filter("emailVerified", |user| Key::from(user.email_verified)),
        Column::filter("isAdmin", |user| Key::from(user.is_admin)),
        Column::filter("disabled", |user| Key::from(user.disabled)),
    ];
    query.page(tables.users.iter().filter(found).collect(), &columns, |user| tables.user_shown(user))
}

/// `GET /api/users/me`
pub fn me(call: &Call<'_>, tables: &Tables) -> Result<Answer, Failure> {
    shown(tables, &call.caller()?.user, 200)
}

/// `GET /api/users/{id}`
pub fn get(call: &Call<'_>, tables: &Tables) -> Result<Answer, Failure> {
    shown(tables, call.id(), 200)
}

/// `POST /api/users`
pub fn create(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let fields = call.fields()?;
    let user = read(&fields)?;
    let groups = fields.texts("userGroupIds")?.unwrap_or_default();
    let own_id = if call.release().takes_own_values() { fields.text("id")? } else { String::new() };
    checked(&user).optional("ID", &own_id, &[Rule::Uuid]).done()?;
    has_email(&user)?;
    is_free(tables, &user, "")?;
    if tables.user(&own_id).is_some() {
        return Err(Failure::in_use("id"));
    }
    let id = if own_id.is_empty() { random_uuid() } else { own_id };
    tables.users.push(User { id: id.clone(), created_at: call.now, ..user });
    join(tables, &id, &groups);
    shown(tables, &id, 201)
}

/// `PUT /api/users/{id}`: replaces everything but groups and claims.
pub fn update(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let wanted = read(&call.fields()?)?;
    checked(&wanted).done()?;
    has_email(&wanted)?;
    let found = tables.user(call.id()).ok_or_else(Failure::not_found)?.clone();
    is_free(tables, &wanted, call.id())?;
    let updated = User { id: found.id, claims: found.claims, created_at: found.created_at, ..wanted };
    let answer = Answer::ok(&updated.shown_alone());
    if let Some(user) = tables.users.iter_mut().find(|user| user.id == call.id()) {
        *user = updated;
    }
    Ok(answer)
}

/// `DELETE /api/users/{id}`
pub fn delete(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    tables.user(call.id()).ok_or_else(Failure::not_found)?;
    tables.remove_user(call.id());
    Ok(Answer::no_content())
}

/// `GET /api/users/{id}/groups`
pub fn groups(call: &Call<'_>, tables: &Tables) -> Result<Answer, Failure> {
    let user = tables.user(call.id()).ok_or_else(Failure::not_found)?;
    Ok(Answer::ok(&tables.groups_of_user(&user.id).map(Group::shown_as_part).collect::<Value>()))
}

/// `PUT /api/users/{id}/user-groups`: replaces the whole set; unknown ids are dropped in silence.
pub fn set_groups(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let groups = call.fields()?.texts("userGroupIds")?;
    Check::default().given("UserGroupIds", groups.as_ref()).done()?;
    tables.user(call.id()).ok_or_else(Failure::not_found)?;
    tables.members.retain(|(user, _)| user != call.id());
    join(tables, call.id(), &groups.unwrap_or_default());
    shown(tables, call.id(), 200)
}

/// Adds a user without a request, see [`crate::sim::pocket_id::Simulator::add_user`].
pub fn add(server: &Server, username: &str, groups: &[&str]) -> Result<String, String> {
    let user = User {
        id: random_uuid(),
        username: username.to_owned(),
        email: Some(format!("{username}@example.com")),
        first_name: username.to_owned(),
        display_name: username.to_owned(),
        created_at: now(),
        ..User::default()
    };
    let mut tables = lock(&server.state.tables);
    let said = |failure: Failure| failure.sentence().to_owned();
    checked(&user).done().and_then(|()| is_free(&tables, &user, "")).map_err(said)?;
    let id_of = |name: &&str| {
        let group = tables.groups.iter().find(|group| group.name == *name);
        group.map(|group| group.id.clone()).ok_or_else(|| format!("there is no group {name}"))
    };
    let groups = groups.iter().map(id_of).collect::<Result<Vec<_>, _>>()?;
    let id = user.id.clone();
    tables.users.push(user);
    join(&mut tables, &id, &groups);
    server.state.keep(&tables).map_err(|error| error.to_string())?;
    Ok(id)
}

fn shown(tables: &Tables, id: &str, status: u16) -> Result<Answer, Failure> {
    let user = tables.user(id).ok_or_else(Failure::not_found)?;
    Ok(Answer::json(status, &tables.user_shown(user)))
}

fn read(fields: &Fields) -> Result<User, Failure> {
    Ok(User {
        username: fields.text("username")?,
        email: fields.optional_text("email")?,
        email_verified: fields.flag("emailVerified")?,
        first_name: fields.text("firstName")?,
        last_name: fields.text("lastName")?,
        display_name: fields.text("displayName")?,
        is_admin: fields.flag("isAdmin")?,
        locale: fields.optional_text("locale")?,
        disabled: fields.flag("disabled")?,
        ..User::default()
    })
}

/// What is wrong with a user.
pub fn checked(user: &User) -> Check {
    Check::default()
        .field("Username", &user.username, &USERNAME)
        .optional("Email", user.email.as_deref().unwrap_or_default(), &[Rule::Email])
        .field("FirstName", &user.first_name, &[Rule::Max(50)])
        .field("LastName", &user.last_name, &[Rule::Max(50)])
        .field("DisplayName", &user.display_name, &[Rule::Max(100)])
}

/// The setting `requireUserEmail` is on.
pub fn has_email(user: &User) -> Result<(), Failure> {
    let sentence = "The user does not have an email address set";
    let email = user.email.as_deref().filter(|email| !email.is_empty());
    email.map(|_| ()).ok_or_else(|| Failure::new(400, "user_email_not_set", sentence))
}

/// Whether email and name are those of no other user.
fn is_free(tables: &Tables, user: &User, id: &str) -> Result<(), Failure> {
    let others = || tables.users.iter().filter(|other| other.id != id);
    if others().any(|other| other.email == user.email) {
        return Err(Failure::in_use("email"));
    }
    if others().any(|other| other.username == user.username) {
        return Err(Failure::in_use("username"));
    }
    Ok(())
}

/// Puts a user into the groups that exist.
fn join(tables: &mut Tables, user: &str, groups: &[String]) {
    for group in groups.iter().filter(|group| tables.group(group).is_some()).cloned().collect::<Vec<_>>() {
        tables.members.insert((user.to_owned(), group));
    }
}

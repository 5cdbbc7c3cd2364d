//! User groups and their members (FACTS 4, recordings `group-crud`, `group-validation`, `group-conflicts`,
//! `group-members`).

use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::check::{Check, Rule};
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::listing::{Column, Key, Query};
use crate::sim::pocket_id::tables::{Group, Tables};
use crate::sim::secrets::random_uuid;

/// `GET /api/user-groups`: searches names only.
pub fn list(call: &Call<'_>, tables: &Tables) -> Answer {
    let query = Query::read(&call.request.query);
    let rows = tables.groups.iter().filter(|group| query.finds(&[&group.name]));
    let rows = rows.map(|group| (group, tables.member_count(&group.id))).collect();
    let columns: [Column<(&Group, usize)>; 4] = [
        Column::new("name", |(group, _)| Key::from(group.name.as_str())),
        Column::new("friendlyName", |(group, _)| Key::from(group.friendly_name.as_str())),
        Column::new("createdAt", |(group, _)| Key::Number(group.created_at)),
        Column::new("userCount", |(_, members)| Key::from(*members)),
    ];
    query.page(rows, &columns, |(group, _)| tables.group_in_list(group))
}

/// `GET /api/user-groups/{id}`
pub fn get(call: &Call<'_>, tables: &Tables) -> Result<Answer, Failure> {
    shown(tables, call.id(), 200)
}

/// `POST /api/user-groups`
pub fn create(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let (name, friendly_name) = read(call)?;
    is_free(tables, &name, "")?;
    let id = random_uuid();
    tables.groups.push(Group { id: id.clone(), name, friendly_name, claims: Vec::new(), created_at: call.now });
    shown(tables, &id, 201)
}

/// `PUT /api/user-groups/{id}`
pub fn update(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let (name, friendly_name) = read(call)?;
    tables.group(call.id()).ok_or_else(Failure::not_found)?;
    is_free(tables, &name, call.id())?;
    if let Some(group) = tables.groups.iter_mut().find(|group| group.id == call.id()) {
        group.name = name;
        group.friendly_name = friendly_name;
    }
    shown(tables, call.id(), 200)
}

/// `DELETE /api/user-groups/{id}`: members do not keep it.
pub fn delete(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    tables.group(call.id()).ok_or_else(Failure::not_found)?;
    tables.remove_group(call.id());
    Ok(Answer::no_content())
}

/// `PUT /api/user-groups/{id}/users`: replaces the whole set; unknown ids are dropped in silence.
pub fn set_members(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let users = call.fields()?.texts("userIds")?;
    Check::default().given("UserIDs", users.as_ref()).done()?;
    tables.group(call.id()).ok_or_else(Failure::not_found)?;
    tables.members.retain(|(_, group)| group != call.id());
    for user in users.into_iter().flatten() {
        if tables.user(&user).is_some() {
            tables.members.insert((user, call.id().to_owned()));
        }
    }
    shown(tables, call.id(), 200)
}

/// `PUT /api/user-groups/{id}/allowed-oidc-clients`: the same link as the client's list, from the other side.
pub fn set_clients(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let clients = call.fields()?.texts("oidcClientIds")?;
    Check::default().given("OidcClientIDs", clients.as_ref()).done()?;
    tables.group(call.id()).ok_or_else(Failure::not_found)?;
    tables.allowed.retain(|(_, group)| group != call.id());
    for client in clients.into_iter().flatten() {
        if tables.client(&client).is_some() {
            tables.allowed.insert((client, call.id().to_owned()));
        }
    }
    shown(tables, call.id(), 200)
}

fn shown(tables: &Tables, id: &str, status: u16) -> Result<Answer, Failure> {
    let group = tables.group(id).ok_or_else(Failure::not_found)?;
    Ok(Answer::json(status, &tables.group_shown(group)))
}

/// Name and friendly name.
fn read(call: &Call<'_>) -> Result<(String, String), Failure> {
    let fields = call.fields()?;
    let (name, friendly_name) = (fields.text("name")?, fields.text("friendlyName")?);
    Check::default()
        .field("FriendlyName", &friendly_name, &[Rule::Required, Rule::Min(2), Rule::Max(50)])
        .field("Name", &name, &[Rule::Required, Rule::Min(2), Rule::Max(255)])
        .done()?;
    Ok((name, friendly_name))
}

fn is_free(tables: &Tables, name: &str, id: &str) -> Result<(), Failure> {
    let taken = tables.groups.iter().any(|other| other.id != id && other.name == name);
    if taken { Err(Failure::in_use("name")) } else { Ok(()) }
}

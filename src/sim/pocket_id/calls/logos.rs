//! Logos of clients (recording `client-logo`).

use futures::executor::block_on;
use futures::stream;
use multer::Multipart;

use crate::sim::pocket_id::answer::Answer;
use crate::sim::pocket_id::call::Call;
use crate::sim::pocket_id::failure::Failure;
use crate::sim::pocket_id::http::Request;
use crate::sim::pocket_id::tables::{Client, Logo, Tables};

/// A body has so many bytes at most.
const LARGEST: usize = 2 * 1024 * 1024;

/// Pictures, by the ending of a file's name.
const TYPES: [(&str, &str); 8] = [
    ("avif", "image/avif"),
    ("gif", "image/gif"),
    ("ico", "image/x-icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("webp", "image/webp"),
];

/// `GET /api/oidc/clients/{id}/logo`: the dark one with `light=false`, if there is one.
pub fn get(call: &Call<'_>, tables: &Tables) -> Result<Answer, Failure> {
    let client = tables.client(call.id()).ok_or_else(Failure::not_found)?;
    let dark = client.dark_logo.as_ref().filter(|_| is_dark(call.request));
    let logo = dark.or(client.logo.as_ref()).ok_or_else(no_logo)?;
    Ok(Answer::content(200, &logo.content_type, logo.bytes()))
}

/// `POST /api/oidc/clients/{id}/logo`: a file named `file` as multipart form.
pub fn upload(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let (name, bytes) = read(call.request)?;
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let content_type = TYPES.iter().find(|(known, _)| *known == ending).map(|(_, content_type)| content_type);
    let unsupported = || Failure::new(400, "file_type_not_supported", "File type not supported");
    let logo = Logo::new(content_type.ok_or_else(unsupported)?, &bytes);
    let client = tables.client_mut(call.id()).ok_or_else(Failure::not_found)?;
    *slot(client, is_dark(call.request)) = Some(logo);
    Ok(Answer::no_content())
}

/// `DELETE /api/oidc/clients/{id}/logo`
pub fn delete(call: &Call<'_>, tables: &mut Tables) -> Result<Answer, Failure> {
    let client = tables.client_mut(call.id()).ok_or_else(Failure::not_found)?;
    slot(client, is_dark(call.request)).take().ok_or_else(no_logo)?;
    Ok(Answer::no_content())
}

fn no_logo() -> Failure {
    Failure::broken().later(Failure::not_found())
}

fn is_dark(request: &Request) -> bool {
    request.query_parameter("light") == "false"
}

fn slot(client: &mut Client, dark: bool) -> &mut Option<Logo> {
    if dark { &mut client.dark_logo } else { &mut client.logo }
}

/// Name and bytes of the file; what is no multipart form counts as too large.
fn read(request: &Request) -> Result<(String, Vec<u8>), Failure> {
    let too_large = || Failure::new(413, "file_too_large", "The file can't be larger than 2.00 MB");
    if request.body.len() > LARGEST {
        return Err(too_large());
    }
    let boundary = multer::parse_boundary(request.header("content-type")).map_err(|_| too_large())?;
    let body = stream::iter([Ok::<_, std::io::Error>(request.body.clone())]);
    let mut form = Multipart::new(body, boundary);
    // The body is here already, so nothing is waited for.
    block_on(async {
        while let Some(field) = form.next_field().await.map_err(|_| too_large())? {
            if field.name() == Some("file") {
                let name = field.file_name().unwrap_or_default().to_owned();
                return Ok((name, field.bytes().await.map_err(|_| too_large())?.to_vec()));
            }
        }
        Err(Failure::unreadable())
    })
}

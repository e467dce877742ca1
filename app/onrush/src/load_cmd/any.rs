//! Requests of any kind.

use std::fs;

use anyhow::Context as _;
use load::Template;

use super::address::Address;
use super::args::AnyArgs;

/// The request that the flags describe.
///
/// # Errors
/// When it would not be HTTP, or the file with the body cannot be read.
pub(crate) fn template(args: &AnyArgs, address: &Address, closes: bool) -> anyhow::Result<Template> {
    let body = args.body.as_deref().map(read_body).transpose()?;
    let method = args.method.as_deref().unwrap_or(if body.is_some() { "POST" } else { "GET" });
    let mut template = Template::new(method, &address.path, &address.host)?;
    let mut has_type = false;
    for header in &args.header {
        let (name, value) =
            header.split_once(':').with_context(|| format!("--header {header:?} has no colon"))?;
        has_type |= name.eq_ignore_ascii_case("content-type");
        template = template.header(name.trim(), value.trim())?;
    }
    if closes {
        template = template.header("Connection", "close")?;
    }
    let Some(body) = body else { return Ok(template) };
    if !has_type {
        template = template.header("Content-Type", "application/json")?;
    }
    Ok(template.body(&body))
}

/// The body as it stands, or from a file.
fn read_body(text: &str) -> anyhow::Result<String> {
    match text.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).with_context(|| format!("cannot read {file}")),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request number 7, or what is wrong with it.
    fn request(method: Option<&str>, body: Option<&str>, headers: &[&str]) -> anyhow::Result<String> {
        let header = headers.iter().map(|header| (*header).to_owned()).collect();
        let args = AnyArgs { method: method.map(str::to_owned), body: body.map(str::to_owned), header };
        let address = Address::parse("http://127.0.0.1:81/x").unwrap();
        let mut out = Vec::new();
        template(&args, &address, false)?.write(7, &mut out);
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn body_makes_it_a_post_of_json() {
        assert_eq!(request(None, None, &[]).unwrap(), "GET /x HTTP/1.1\r\nHost: 127.0.0.1:81\r\n\r\n");
        let post = request(None, Some("[{n}]"), &[]).unwrap();
        assert!(post.starts_with("POST /x ") && post.ends_with("\r\nContent-Length: 3\r\n\r\n[7]"), "{post}");
        assert!(post.contains("\r\nContent-Type: application/json\r\n"), "{post}");
    }

    #[test]
    fn flags_go_before_what_is_usual() {
        let put = request(Some("PUT"), Some("a"), &["content-type: text/plain", "X-Number:{n}"]).unwrap();
        assert!(put.starts_with("PUT /x ") && put.contains("\r\nX-Number: 7\r\n"), "{put}");
        assert_eq!(put.to_lowercase().matches("content-type").count(), 1, "{put}");
    }

    #[test]
    fn body_may_be_in_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "from a file").unwrap();
        let post = request(None, Some(&format!("@{}", file.path().display())), &[]).unwrap();
        assert!(post.ends_with("\r\n\r\nfrom a file"), "{post}");
        let missing = request(None, Some("@/nowhere"), &[]).unwrap_err();
        assert!(format!("{missing:#}").contains("/nowhere"), "{missing:#}");
    }

    #[test]
    fn bad_headers_and_methods_are_named() {
        for (method, header, reason) in [
            (None, "no colon", "no colon"),
            (None, "Content-Length: 1", "Content-Length"),
            (Some("HEAD"), "a: b", "HEAD"),
        ] {
            let error = request(method, None, &[header]).unwrap_err();
            assert!(format!("{error:#}").contains(reason), "{error:#}");
        }
    }
}

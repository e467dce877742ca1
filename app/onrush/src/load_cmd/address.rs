//! Where the load goes.

use std::net::{SocketAddr, ToSocketAddrs as _};

use anyhow::{Context as _, bail};
use http::Uri;

const PORT: u16 = 80;

/// An address, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    pub(crate) target: SocketAddr,
    /// Host and port as they stand in the URL.
    pub(crate) host: String,
    /// Path and query; `/` at least.
    pub(crate) path: String,
}

impl Address {
    /// Takes a URL apart and looks its host up.
    ///
    /// # Errors
    /// When it is none that can be spoken to.
    pub(crate) fn parse(url: &str) -> anyhow::Result<Address> {
        let uri: Uri = url.parse().with_context(|| format!("{url} is not an address"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                bail!("{url}: there is no TLS here; load the server itself, behind its proxy, by http://")
            }
            _ => bail!("{url} does not begin with http://"),
        }
        let authority = uri.authority().with_context(|| format!("{url} names no host"))?;
        if authority.as_str().contains('@') {
            bail!("{url} has a user in it; say --header 'Authorization: ...' instead");
        }
        let (name, port) = (authority.host(), authority.port_u16().unwrap_or(PORT));
        // An IPv6 address has its brackets in a URL only.
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let found =
            (name, port).to_socket_addrs().with_context(|| format!("cannot find the host {name}"))?.next();
        let target = found.with_context(|| format!("the host {name} has no address"))?;
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Address { target, host: authority.to_string(), path: path.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_taken_apart() {
        let address = Address::parse("http://127.0.0.1:8080/v1/sales/{n}?x={n}").unwrap();
        assert_eq!(address.target, "127.0.0.1:8080".parse().unwrap());
        assert_eq!((address.host.as_str(), address.path.as_str()), ("127.0.0.1:8080", "/v1/sales/{n}?x={n}"));
        let address = Address::parse("http://[::1]").unwrap();
        assert_eq!((address.target.to_string().as_str(), address.path.as_str()), ("[::1]:80", "/"));
    }

    #[test]
    fn what_cannot_be_spoken_to_is_refused_with_the_reason() {
        for (url, reason) in [
            ("https://127.0.0.1/", "no TLS"),
            ("ftp://127.0.0.1/", "http://"),
            ("127.0.0.1:8080", "http://"),
            ("http://ada:secret@127.0.0.1/", "--header"),
            ("http://a b/", "not an address"),
        ] {
            let error = format!("{:#}", Address::parse(url).unwrap_err());
            assert!(error.contains(reason), "{url}: {error}");
        }
    }
}

//! What an operator may set about the edge, with the defaults.

use std::time::Duration;

/// Bounds and deadlines of the HTTP edge. Every value is one that an operator may change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Largest body of a request. Default 64 KiB.
    pub body_size_bytes_max: usize,
    /// Largest body of a sale definition (`POST /v1/sales`, `PATCH /v1/sales/{sale}`). Default 4 MiB.
    pub definition_size_bytes_max: usize,
    /// Largest body of a bulk of orders. Default 4 MiB.
    pub bulk_size_bytes_max: usize,
    /// Most bulks of orders that are read, decided or answered at a time. Default 4.
    pub bulk_count_max: usize,
    /// Largest request line and headers together. Default 16 KiB; at least [`Config::HEAD_SIZE_BYTES_MIN`].
    pub head_size_bytes_max: usize,
    /// Most headers in a request. Default [`Config::HEADER_COUNT_MAX_FREE`].
    pub header_count_max: usize,
    /// From the connection to its first byte. Default 10 s.
    pub first_byte_deadline: Duration,
    /// From one answer to the first byte of the next request. Default 75 s.
    pub idle_deadline: Duration,
    /// From a request's first byte to the end of its headers. Default 10 s.
    pub head_deadline: Duration,
    /// From the headers to the end of the body. Default 30 s.
    pub body_deadline: Duration,
    /// From the body to the answer. Default 30 s.
    pub answer_deadline: Duration,
    /// From the answer until the client took all of it. Default 30 s.
    pub write_deadline: Duration,
    /// How often connections are looked at; a deadline is late by up to twice this. Default 250 ms.
    pub sweep_interval: Duration,
    /// How long live connections may take to end when the server stops. Default 10 s.
    pub stop_deadline: Duration,
    /// Most connections of one listener; further ones wait in the kernel's queue. Default 16,384.
    pub connection_count_max: usize,
    /// Entries on a page of a list when the request names no limit. Default 100.
    pub list_len_default: u16,
    /// Most entries on a page of a list. Default 1,000.
    pub list_len_max: u16,
    /// Longest wait for a writer that the gate lets anybody in for. Default 1 s.
    pub inbox_wait_max: Duration,
}

impl Config {
    /// The smallest [`Config::head_size_bytes_max`] that hyper accepts as a buffer.
    pub const HEAD_SIZE_BYTES_MIN: usize = 8_192;

    /// The [`Config::header_count_max`] that hyper has by itself; any other one costs each request an allocation.
    pub const HEADER_COUNT_MAX_FREE: usize = 100;
}

impl Default for Config {
    fn default() -> Config {
        Config {
            body_size_bytes_max: 64 << 10,
            definition_size_bytes_max: 4 << 20,
            bulk_size_bytes_max: 4 << 20,
            bulk_count_max: 4,
            head_size_bytes_max: 16 << 10,
            header_count_max: Config::HEADER_COUNT_MAX_FREE,
            first_byte_deadline: Duration::from_secs(10),
            idle_deadline: Duration::from_secs(75),
            head_deadline: Duration::from_secs(10),
            body_deadline: Duration::from_secs(30),
            answer_deadline: Duration::from_secs(30),
            write_deadline: Duration::from_secs(30),
            sweep_interval: Duration::from_millis(250),
            stop_deadline: Duration::from_secs(10),
            connection_count_max: 16_384,
            list_len_default: 100,
            list_len_max: 1_000,
            inbox_wait_max: Duration::from_secs(1),
        }
    }
}

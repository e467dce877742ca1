//! The table of all keys. A key's name carries its unit; its first line of documentation says what it does.

use std::net::SocketAddr;
use std::path::PathBuf;

use domain::limits::SHARD_COUNT_MAX;

use super::choice::{LogFormat, LogLevel, TokenAlgorithm};
use super::layers::Setting;
use super::table::{Key, read_one, section};
use super::value::{Allowed, Secret, Value};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const TIMEOUT_MS: Allowed = Allowed::Integer { min: 100, max: 600_000 };
const PERCENT: Allowed = Allowed::Integer { min: 0, max: 100 };
const SECRET: Allowed = Allowed::OptionalSecret { size_bytes_min: 32 };
const TEXT: Allowed = Allowed::OptionalText { size_bytes_max: 255 };

section! {
    /// Everything that an operator may set.
    Config ("") {
        /// Where buyers and organisers are served.
        listen: SocketAddr = "127.0.0.1:8080", Allowed::Address;
        /// Where metrics and health are served; keep it off the public network.
        admin_listen: SocketAddr = "127.0.0.1:8081", Allowed::Address;
        /// The folder with journals, snapshots and secrets; made if it is not there.
        data: PathBuf = "onrush-data", Allowed::Path;
        /// Threads that serve HTTP, each with its own event loop; 0 means one for each core that no writer needs.
        io_threads: usize = "0", Allowed::Integer { min: 0, max: 256 };
        /// Writers, each with its own journal. Fixed when the data folder is made: later starts must name the same.
        shards: u16 = "1", Allowed::Integer { min: 1, max: SHARD_COUNT_MAX as u64 };
        /// Commands that may wait for one writer; when so many wait, more are answered 503.
        inbox_len_max: usize = "16384", Allowed::Integer { min: 64, max: MIB };
        /// Longest wait for a writer that anybody is let in for, by how its last writes went; who would wait longer is
        /// answered 503.
        inbox_wait_ms_max: u64 = "1000", TIMEOUT_MS;
        /// How long a stop may take, from SIGTERM on, before what is still running is cut off.
        stop_timeout_ms: u64 = "30000", Allowed::Integer { min: 100, max: 3_600_000 };
    }
    sections {
        /// The durable log.
        journal: Journal;
        /// The whole state on disk, now and then.
        snapshot: Snapshot;
        /// Memory.
        memory: Memory;
        /// Bounds of HTTP connections and requests.
        http: Http;
        /// Buyers' tokens.
        tokens: Tokens;
        /// Payment providers.
        payments: Payments;
        /// What is logged, and how.
        log: Log;
    }
}

section! {
    /// The durable log.
    Journal ("journal.") {
        /// Size of a journal file, preallocated; a multiple of 4096.
        segment_size_bytes: u64 = "67108864", Allowed::Integer { min: MIB, max: 4_096 * MIB };
        /// Largest block, which is what one checksum covers; a multiple of 4096. A larger batch is several blocks.
        block_size_bytes_max: usize = "1048576", Allowed::Integer { min: 68 * KIB, max: 16 * MIB };
    }
    sections {}
}

section! {
    /// Memory.
    Memory ("memory.") {
        /// Made ready when units come on sale, so that the rush need not wait for it: half a KiB for each, this much at most
        /// (1 GiB is for 2 million units), and not more than a quarter of the memory that the machine, or the control group, has. The
        /// process keeps it: take less where other programs need the memory. When a quarter may have been used, and more units are left
        /// than the rest is for, it is made ready again. 16 MiB for the idempotency keys of each shard come beside it. 0: none, and
        /// orders wait while the system finds memory for them.
        ready_size_bytes_max: u64 = "1073741824", Allowed::Integer { min: 0, max: 1_048_576 * MIB };
    }
    sections {}
}

section! {
    /// The whole state on disk, now and then, so that a start need not read the journal from its beginning.
    Snapshot ("snapshot.") {
        /// A snapshot is made after so many facts, when they take as much of the journal as the last one has.
        every_facts: u64 = "1000000", Allowed::Integer { min: 1_000, max: 1_000_000_000 };
        /// Or after so much of the journal, or twice the last snapshot if that is more: small batches take 4 KiB each, and a
        /// start reads what is behind the last snapshot.
        every_journal_bytes: u64 = "268435456", Allowed::Integer { min: MIB, max: 1_048_576 * MIB };
    }
    sections {}
}

section! {
    /// Bounds of HTTP connections and requests. A client that exceeds one is answered or cut off, never waited for.
    Http ("http.") {
        /// Largest body of a buyer's request or a payment callback.
        body_size_bytes_max: usize = "65536", Allowed::Integer { min: KIB, max: 16 * MIB };
        /// Largest body of an organiser's request: a sale with thousands of items is long.
        sale_body_size_bytes_max: usize = "4194304", Allowed::Integer { min: KIB, max: 64 * MIB };
        /// Largest body of a bulk of orders.
        bulk_body_size_bytes_max: usize = "4194304", Allowed::Integer { min: KIB, max: 64 * MIB };
        /// Bulks of orders that are read, decided or answered at a time; further ones wait before they are read.
        bulks_at_once_max: usize = "4", Allowed::Integer { min: 1, max: 16 };
        /// Largest head of a request: its first line and all header fields.
        header_size_bytes_max: usize = "16384", Allowed::Integer { min: 8 * KIB, max: MIB };
        /// Most header fields of a request.
        header_count_max: usize = "64", Allowed::Integer { min: 16, max: 256 };
        /// Connections open at a time, over all I/O threads; further ones wait until one ends.
        connections_max: usize = "16384", Allowed::Integer { min: 16, max: 1_000_000 };
        /// How long a new connection may stay silent.
        first_byte_timeout_ms: u64 = "10000", TIMEOUT_MS;
        /// How long the head of a request may take, from its first byte on.
        header_timeout_ms: u64 = "10000", TIMEOUT_MS;
        /// How long the body of a request may take.
        body_timeout_ms: u64 = "30000", TIMEOUT_MS;
        /// How long an answer may take, from the body's end on; then 503.
        answer_timeout_ms: u64 = "30000", TIMEOUT_MS;
        /// How long a client may take to read its answer.
        write_timeout_ms: u64 = "30000", TIMEOUT_MS;
        /// How long a connection may stay open without a request after the last answer.
        idle_timeout_ms: u64 = "75000", Allowed::Integer { min: 100, max: 3_600_000 };
    }
    sections {}
}

section! {
    /// Buyers' tokens: JSON Web Tokens (RFC 7519) whose `sub` is the buyer.
    Tokens ("tokens.") {
        /// The one signature that is accepted of JSON Web Tokens, whatever they say about themselves. With HS256 and neither audience nor issuer, short tokens as well (docs/api.md).
        alg: TokenAlgorithm = "HS256", Allowed::Choice(TokenAlgorithm::WORDS);
        /// HS256: the shared secret. With neither this nor `tokens.secret_file`, the data folder's own is used,
        /// which the first start makes.
        secret: Option<Secret> = "", SECRET;
        /// HS256: the file with the shared secret.
        secret_file: Option<PathBuf> = "", Allowed::OptionalPath;
        /// EdDSA and ES256: the file with the public key, PEM.
        public_key_file: Option<PathBuf> = "", Allowed::OptionalPath;
        /// The `iss` that tokens must have; nothing: any or none.
        issuer: Option<String> = "", TEXT;
        /// The `aud` that tokens must have; nothing: none.
        audience: Option<String> = "", TEXT;
        /// How long the tokens live that `onrush token` makes.
        ttl_s: u64 = "86400", Allowed::Integer { min: 60, max: 31_536_000 };
    }
    sections {}
}

section! {
    /// Payment providers.
    Payments ("payments.") {
        /// The secret that payment callbacks are signed with. With neither this nor `payments.secret_file`, the
        /// data folder's own is used, which the first start makes.
        secret: Option<Secret> = "", SECRET;
        /// The file with that secret.
        secret_file: Option<PathBuf> = "", Allowed::OptionalPath;
    }
    sections {
        /// A provider for trying things out, which takes no money.
        simulator: PaymentsSimulator;
    }
}

section! {
    /// A payment provider for trying things out. It takes no money, and misbehaves as it is told.
    PaymentsSimulator ("payments.simulator.") {
        /// Whether it runs. Never where real things are sold: everybody can pay with it.
        enabled: bool = "false", Allowed::Flag;
        /// Where it listens.
        listen: SocketAddr = "127.0.0.1:8082", Allowed::Address;
        /// How long it takes before it calls back.
        delay_ms: u64 = "100", Allowed::Integer { min: 0, max: 600_000 };
        /// How many payments in a hundred fail.
        fail_percent: u8 = "0", PERCENT;
        /// How many callbacks in a hundred are late.
        late_percent: u8 = "0", PERCENT;
        /// How much longer a late one takes.
        late_ms: u64 = "5000", Allowed::Integer { min: 0, max: 86_400_000 };
        /// How many callbacks in a hundred come twice.
        twice_percent: u8 = "0", PERCENT;
        /// How many payments in a hundred stay pending for ever.
        never_percent: u8 = "0", PERCENT;
        /// Decides with a payment's name about its fate: the same seed, the same fate.
        seed: u64 = "0", Allowed::Integer { min: 0, max: i64::MAX as u64 };
    }
    sections {}
}

section! {
    /// What is logged, and how.
    Log ("log.") {
        /// For people or for programs.
        format: LogFormat = "text", Allowed::Choice(LogFormat::WORDS);
        /// From which importance on. Single requests are `debug`.
        level: LogLevel = "info", Allowed::Choice(LogLevel::WORDS);
    }
    sections {}
}

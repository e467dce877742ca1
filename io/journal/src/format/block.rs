//! A block: a header of 128 bytes and the records of one append, or a part of them.

use domain::{Seq, Term, UnixMs, planted};

use super::{Fault, Fields, SECTOR_SIZE_BYTES, Slots, is_zero, page_up, record, sector_up};
use crate::contract::{Chain, Record, Tip};

/// Bytes before the records.
pub(crate) const HEADER_SIZE_BYTES: usize = 128;

/// What the rest of a block's last sector is filled with: a sector that is all zeros was never written, whatever the
/// records end with.
pub(crate) const PADDING: u8 = 0xFF;

const MAGIC: &[u8; 8] = b"ONRBLOCK";
const CHECKSUM_AT: usize = 8;
const CHECKED_FROM: usize = 12;
const RESERVED_FROM: usize = 88;

/// The first 128 bytes of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    pub(crate) payload_size_bytes: u32,
    pub(crate) record_count: u32,
    pub(crate) term: Term,
    pub(crate) first_seq: Seq,
    /// The first and last record of the append that the block is a part of.
    pub(crate) batch_first_seq: Seq,
    pub(crate) batch_last_seq: Seq,
    pub(crate) time: UnixMs,
    pub(crate) chain_before: Chain,
}

impl Header {
    /// The header that `bytes` begin with; its numbers fit together, whatever comes behind it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Header, Fault> {
        if bytes.len() < HEADER_SIZE_BYTES || !bytes.starts_with(MAGIC) {
            return Err(Fault::BlockMagic);
        }
        let mut fields = Fields(&bytes[CHECKSUM_AT..HEADER_SIZE_BYTES]);
        if fields.u32() != crc32c::crc32c(&bytes[CHECKED_FROM..HEADER_SIZE_BYTES]) {
            return Err(Fault::BlockChecksum);
        }
        let header = Header {
            payload_size_bytes: fields.u32(),
            record_count: fields.u32(),
            term: Term(fields.u32()),
            first_seq: Seq(fields.u64()),
            batch_first_seq: Seq(fields.u64()),
            batch_last_seq: Seq(fields.u64()),
            time: UnixMs(fields.u64()),
            chain_before: Chain(fields.take()),
        };
        let reserved_is_zero = bytes[RESERVED_FROM..HEADER_SIZE_BYTES].iter().all(|byte| *byte == 0);
        if header.is_sound() && reserved_is_zero { Ok(header) } else { Err(Fault::BlockShape) }
    }

    fn is_sound(&self) -> bool {
        let records_size_bytes_min = u64::from(self.record_count) * record::HEADER_SIZE_BYTES as u64;
        let after_last = self.first_seq.0.checked_add(u64::from(self.record_count));
        self.record_count > 0
            && u64::from(self.payload_size_bytes) >= records_size_bytes_min
            && self.batch_first_seq.0 > 0
            && self.batch_first_seq <= self.first_seq
            && after_last.is_some_and(|after| after - 1 <= self.batch_last_seq.0)
    }

    /// Writes the header into the first 128 bytes of `block`.
    pub(crate) fn write(&self, block: &mut [u8]) {
        let header = &mut block[..HEADER_SIZE_BYTES];
        header.fill(0);
        Slots::new(header)
            .put(MAGIC)
            .put(&[0; 4])
            .put(&self.payload_size_bytes.to_le_bytes())
            .put(&self.record_count.to_le_bytes())
            .put(&self.term.0.to_le_bytes())
            .put(&self.first_seq.0.to_le_bytes())
            .put(&self.batch_first_seq.0.to_le_bytes())
            .put(&self.batch_last_seq.0.to_le_bytes())
            .put(&self.time.0.to_le_bytes())
            .put(&self.chain_before.0);
        let checksum = crc32c::crc32c(&header[CHECKED_FROM..]);
        header[CHECKSUM_AT..CHECKED_FROM].copy_from_slice(&checksum.to_le_bytes());
    }

    /// The last record of the block.
    pub(crate) fn last_seq(&self) -> Seq {
        Seq(self.first_seq.0 + u64::from(self.record_count) - 1)
    }

    /// Whether the append that the block belongs to ends with it.
    pub(crate) fn ends_batch(&self) -> bool {
        self.last_seq() == self.batch_last_seq
    }

    /// Header and records.
    pub(crate) fn size_bytes(&self) -> usize {
        HEADER_SIZE_BYTES
            + usize::try_from(self.payload_size_bytes).expect("this program runs on 64-bit machines")
    }

    /// Header, records and padding.
    pub(crate) fn stored_size_bytes(&self) -> usize {
        page_up(self.size_bytes())
    }

    /// A stored record of this block as the contract shows it.
    pub(crate) fn show<'a>(&self, stored: &record::Stored<'a>) -> Record<'a> {
        Record {
            seq: stored.seq,
            term: stored.term,
            time: self.time,
            kind: stored.kind,
            payload: stored.payload,
        }
    }
}

/// The chain's value after a block: header and records, without padding.
pub(crate) fn chain_after(block: &[u8]) -> Chain {
    Chain(blake3::hash(block).into())
}

/// Whether `header` may follow `tip`.
pub(crate) fn check_follows(header: &Header, tip: &Tip) -> Result<(), Fault> {
    if header.first_seq != tip.seq.next() {
        return Err(Fault::BlockSeq(header.first_seq));
    }
    if header.term < tip.term {
        return Err(Fault::BlockTerm(header.term));
    }
    if header.chain_before != tip.chain && !planted!(SkipChainCheck) {
        return Err(Fault::BlockChain);
    }
    Ok(())
}

/// Calls `f` for every record of a block, whose header was parsed from the same bytes.
pub(crate) fn for_each_record<'a>(
    header: &Header,
    block: &'a [u8],
    f: &mut dyn FnMut(Record<'a>),
) -> Result<(), Fault> {
    let mut rest = &block[HEADER_SIZE_BYTES..header.size_bytes()];
    let mut seq = header.first_seq;
    for _ in 0..header.record_count {
        let stored = record::parse(rest, seq)?;
        if stored.term != header.term {
            return Err(Fault::RecordShape(seq));
        }
        rest = &rest[stored.size_bytes()..];
        f(header.show(&stored));
        seq = seq.next();
    }
    if rest.is_empty() { Ok(()) } else { Err(Fault::BlockShape) }
}

/// Checks what stands behind the records of a block: [`PADDING`] to the end of the sector, zeros to the end of the page.
pub(crate) fn check_padding(header: &Header, stored: &[u8]) -> Result<(), Fault> {
    let (sector, page) =
        stored[header.size_bytes()..].split_at(sector_up(header.size_bytes()) - header.size_bytes());
    match sector.iter().all(|byte| *byte == PADDING) && is_zero(page) {
        true => Ok(()),
        false => Err(Fault::BlockPadding(header.last_seq())),
    }
}

/// The same for a block that a crash may have torn: its last sector may not be written yet.
pub(crate) fn check_torn_padding(header: &Header, stored: &[u8]) -> Result<(), Fault> {
    let (block, page) = stored.split_at(sector_up(header.size_bytes()));
    let last_sector = &block[block.len() - SECTOR_SIZE_BYTES..];
    if is_zero(last_sector) && is_zero(page) { Ok(()) } else { check_padding(header, stored) }
}

/// Checks everything in a block that follows `tip`, its padding included; returns the tip after it.
pub(crate) fn check(header: &Header, block: &[u8], tip: &Tip) -> Result<Tip, Fault> {
    check_follows(header, tip)?;
    for_each_record(header, block, &mut |_| ())?;
    check_padding(header, block)?;
    Ok(Tip {
        seq: header.last_seq(),
        term: header.term,
        time: header.time,
        chain: chain_after(&block[..header.size_bytes()]),
    })
}

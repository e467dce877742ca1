use super::*;

/// What is read of `text` when it comes in pieces of `piece` bytes.
fn read(text: &str, piece: usize) -> Result<Vec<(u16, bool)>, ReplyError> {
    let mut reader = Reader::default();
    let mut answers = Vec::new();
    for bytes in text.as_bytes().chunks(piece) {
        reader.read(bytes, |answer| {
            answers.push((answer.status, answer.closes));
            Ok(())
        })?;
    }
    Ok(answers)
}

#[track_caller]
fn check(text: &str, expected: &Result<Vec<(u16, bool)>, ReplyError>) {
    for piece in 1..=text.len() {
        assert_eq!(&read(text, piece), expected, "in pieces of {piece}");
    }
}

#[test]
fn answers_are_found_however_they_are_cut() {
    let text = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n\
                HTTP/1.1 201 Created\r\nContent-Length:  2 \r\nConnection: keep-alive, Close\r\n\r\nok";
    check(text, &Ok(vec![(200, false), (409, false), (201, true)]));
}

#[test]
fn answer_counts_only_with_its_last_byte() {
    assert_eq!(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", 1024), Ok(vec![]));
}

#[test]
fn answers_that_have_no_body_need_no_length() {
    let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n\
                HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\nHTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n";
    check(text, &Ok(vec![(204, false), (304, false), (200, true)]));
}

#[test]
fn answers_that_cannot_be_measured_are_named() {
    check("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &Err(ReplyError::Chunked));
    check("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", &Err(ReplyError::NoLength));
    assert!(ReplyError::Chunked.is_unsupported() && ReplyError::NoLength.is_unsupported());
    assert!(!ReplyError::Length.is_unsupported());
}

#[test]
fn what_is_not_http_is_malformed() {
    for length in ["+5", "", "5x", "99999999999999999999"] {
        check(&format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"), &Err(ReplyError::Length));
    }
    assert!(matches!(read("SSH-2.0-OpenSSH\r\n", 1), Err(ReplyError::Malformed(_))));
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(2 * HEAD_SIZE_BYTES_MAX));
    assert_eq!(read(&endless, 4096), Err(ReplyError::HeadTooLong));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: x\r\n".repeat(HEADER_COUNT_MAX + 1));
    assert_eq!(read(&many, 4096), Err(ReplyError::Malformed(httparse::Error::TooManyHeaders)));
}

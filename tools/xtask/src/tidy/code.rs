//! Rust source without its comments and without what stands in its strings, line by line the same.

/// What a piece of source is.
#[derive(Clone, Copy)]
enum Place {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text,
    RawText { hashes: usize },
}

/// The text with every character of comments and literals replaced by a space; lines stay where they are.
pub(super) fn without_comments_and_literals(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut place = Place::Code;
    let mut kept = String::with_capacity(text.len());
    let mut index = 0;
    while index < characters.len() {
        let (length, next) = step(place, &characters, index);
        for character in &characters[index..index + length] {
            let keep = *character == '\n' || matches!((place, next), (Place::Code, Place::Code));
            kept.push(if keep { *character } else { ' ' });
        }
        place = next;
        index += length;
    }
    kept
}

/// How many characters belong together at `index`, and where the source is after them.
fn step(place: Place, characters: &[char], index: usize) -> (usize, Place) {
    let rest = &characters[index..];
    match place {
        Place::Code => step_in_code(characters, index),
        Place::LineComment if rest[0] == '\n' => (1, Place::Code),
        Place::BlockComment { depth } if rest.starts_with(&['*', '/']) => match depth {
            1 => (2, Place::Code),
            _ => (2, Place::BlockComment { depth: depth - 1 }),
        },
        Place::BlockComment { depth } if rest.starts_with(&['/', '*']) => {
            (2, Place::BlockComment { depth: depth + 1 })
        }
        Place::Text if rest[0] == '\\' => (2.min(rest.len()), Place::Text),
        Place::Text if rest[0] == '"' => (1, Place::Code),
        Place::RawText { hashes } if closes_raw(rest, hashes) => (1 + hashes, Place::Code),
        _ => (1, place),
    }
}

fn step_in_code(characters: &[char], index: usize) -> (usize, Place) {
    let rest = &characters[index..];
    let in_word = index > 0 && is_word(characters[index - 1]);
    match rest[0] {
        '/' if rest.starts_with(&['/', '/']) => (2, Place::LineComment),
        '/' if rest.starts_with(&['/', '*']) => (2, Place::BlockComment { depth: 1 }),
        '"' => (1, Place::Text),
        '\'' => (character_literal_length(rest), Place::Code),
        'r' if !in_word || characters[index - 1] == 'b' => match raw_text_hashes(&rest[1..]) {
            Some(hashes) => (2 + hashes, Place::RawText { hashes }),
            None => (1, Place::Code),
        },
        _ => (1, Place::Code),
    }
}

/// `'a'` and `'\n'` are literals, `'a` is a lifetime: only a quote that might open a string has to be stepped over.
fn character_literal_length(rest: &[char]) -> usize {
    match rest {
        ['\'', '\\', _, '\'', ..] => 4,
        ['\'', _, '\'', ..] => 3,
        _ => 1,
    }
}

fn raw_text_hashes(rest: &[char]) -> Option<usize> {
    let hashes = rest.iter().take_while(|character| **character == '#').count();
    (rest.get(hashes) == Some(&'"')).then_some(hashes)
}

fn closes_raw(rest: &[char], hashes: usize) -> bool {
    rest[0] == '"' && rest[1..].iter().take(hashes).filter(|character| **character == '#').count() == hashes
}

/// Whether `word` stands in the line as a word of its own, not as a part of another.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + word.len()..].chars().next();
        let ends_in_word = word.ends_with(is_word);
        !(before.is_some_and(is_word) || ends_in_word && after.is_some_and(is_word))
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let code = without_comments_and_literals(text);
        let words: Vec<&str> = code.split_whitespace().collect();
        assert_eq!(words.join(" "), expected, "{text}");
        assert_eq!(code.lines().count(), text.lines().count(), "{text}");
    }

    #[test]
    fn only_code_is_kept() {
        check("a // b\nc", "a c");
        check("a /* b /* c */\n d */ e", "a e");
        check("a(\"b \\\" c\", d)", "a( , d)");
        check("r\"\\\" a; br#\"x \" y\"# b", "a; b b");
        check("'\"' a '\\'' b <'x> \"c\"", "'\"' a '\\'' b <'x>");
        check("bar(\"x\")", "bar( )");
    }

    #[test]
    fn word_is_found_only_as_a_word() {
        assert!(has_word("x = todo!();", "todo!"));
        assert!(!has_word("x = my_todo!();", "todo!"));
        assert!(has_word("a: f64,", "f64"));
        assert!(!has_word("a: f640, af64", "f64"));
    }
}

//! Values that are one of a few words.

use super::value::{Allowed, Value};

/// Declares an enum whose variants have a word each in files, variables and documents.
macro_rules! choice {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// The words, in the order of the variants.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The word of this value.
            pub fn word(self) -> &'static str {
                match self {
                    $($name::$variant => $word,)+
                }
            }
        }

        impl Value for $name {
            fn parse(text: &str, _allowed: &Allowed) -> Option<$name> {
                match text {
                    $($word => Some($name::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

choice! {
    /// The signature of buyers' tokens.
    TokenAlgorithm {
        /// HMAC with SHA-256 under a shared secret.
        Hs256 = "HS256",
        /// Ed25519.
        EdDsa = "EdDSA",
        /// ECDSA on P-256 with SHA-256.
        Es256 = "ES256",
    }
}

choice! {
    /// How a line of the log looks.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object per line.
        Json = "json",
    }
}

choice! {
    /// From which importance on something is logged.
    LogLevel {
        /// Data at risk, or a sale stopped.
        Error = "error",
        /// Unexpected, and recovered.
        Warn = "warn",
        /// A process or a sale changed its state.
        Info = "info",
        /// Single requests.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

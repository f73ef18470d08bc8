//! How a value becomes text on the wire: one form for each value, and only that form is read.

/// Serde for a type by its [`Display`](std::fmt::Display) and [`FromStr`](std::str::FromStr): written
/// as the one, read by the other, and from nothing but a string. The pattern is for readers of the schema: all that is
/// written fits it, though not all that fits it is read.
///
/// The fourth argument is an example, the fifth the `format` of JSON Schema that it keeps to.
macro_rules! serde_as_string {
    ($type:ident, $expecting:expr, $pattern:expr, $example:expr $(, $format:ident)?) => {
        $crate::domain::wire::read_as_string!($type, $expecting);

        $crate::domain::wire::schema_of_string!($type, |schema| schema
            .description(Some($expecting))
            $(.format(Some(utoipa::openapi::SchemaFormat::KnownFormat(
                utoipa::openapi::KnownFormat::$format
            ))))?
            .pattern(Some($pattern))
            .examples([$example]));
    };
}

/// Serde alone, of [`serde_as_string`].
macro_rules! read_as_string {
    ($type:ident, $expecting:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct OfString;

                impl serde::de::Visitor<'_> for OfString {
                    type Value = $type;

                    fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        to.write_str($expecting)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        text.parse().map_err(E::custom)
                    }
                }

                from.deserialize_str(OfString)
            }
        }
    };
}

/// The JSON Schema of a type that is written as a string, with what is to be said of it.
macro_rules! schema_of_string {
    ($type:ident $(<$max:ident>)?, $said:expr) => {
        impl $(<const $max: usize>)? utoipa::PartialSchema for $type $(<$max>)? {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let said: fn(
                    utoipa::openapi::ObjectBuilder,
                ) -> utoipa::openapi::ObjectBuilder = $said;
                let schema = utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String);
                said(schema).into()
            }
        }

        impl $(<const $max: usize>)? utoipa::ToSchema for $type $(<$max>)? {
            $(fn name() -> std::borrow::Cow<'static, str> {
                format!("{}{}", stringify!($type), $max).into()
            })?
        }
    };
}

/// An enumeration that is one word on the wire. Serde's derive would also read a unit variant from
/// an object with a null in it; this reads the words alone.
macro_rules! words {
    (
        $(#[doc = $about:literal])*
        pub enum $type:ident { $( $(#[doc = $meaning:literal])* $variant:ident = $word:literal, )+ }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $type { $( $(#[doc = $meaning])* $variant, )+ }

        impl $type {
            /// Every value, in order.
            pub const ALL: &'static [$type] = &[$( $type::$variant ),+];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $( $type::$variant => $word ),+ }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::domain::wire::UnknownWord;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $( $word => Ok($type::$variant), )+
                    _ => Err($crate::domain::wire::UnknownWord {
                        found: text.chars().take(40).collect(),
                        expected: &[$( $word ),+],
                    }),
                }
            }
        }

        $crate::domain::wire::read_as_string!($type, concat!("one of:", $( " ", $word ),+));

        $crate::domain::wire::schema_of_string!($type, |schema| {
            let mut about = concat!($($about),*).trim().to_owned();
            $( about.push_str(&format!("\n- `{}`: {}", $word, concat!($($meaning),*).trim())); )+
            schema.description(Some(about)).enum_values(Some([$( $word ),+]))
        });
    };
}

pub(crate) use {read_as_string, schema_of_string, serde_as_string, words};

/// A word that is none of those that may stand here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is none of: {}", expected.join(", "))]
pub struct UnknownWord {
    /// What was read, cut to 40 characters.
    pub found: String,
    /// What may stand here.
    pub expected: &'static [&'static str],
}

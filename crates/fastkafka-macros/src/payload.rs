//! The payload in a function's documentation: a link, as the type is written.

use syn::{GenericArgument, PathArguments, Type, TypePath};

/// `` [`Flight`] `` for `Flight`, `Vec<Flight>` or `Result<KafkaEvent<Flight>, _>`; nothing where the
/// type is no path that rustdoc could follow.
///
/// These names are read here and nowhere else: an alias is linked as itself, and no harm done.
pub(crate) fn link(ty: &Type) -> Option<String> {
    let Type::Path(TypePath {
        qself: None, path, ..
    }) = ty
    else {
        return None;
    };
    let last = path.segments.last()?;
    let wraps = ["Vec", "Option", "KafkaEvent", "Result"]
        .iter()
        .any(|name| last.ident == name);
    if let (true, PathArguments::AngleBracketed(arguments)) = (wraps, &last.arguments) {
        return arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::Type(inner) => link(inner),
            _ => None,
        });
    }
    if wraps || path.leading_colon.is_some() {
        return None;
    }
    let names: Vec<_> = path
        .segments
        .iter()
        .map(|segment| segment.ident.to_string())
        .collect();
    Some(format!("[`{}`]", names.join("::")))
}

#[cfg(test)]
mod tests {
    use super::link;
    use syn::parse_quote;

    #[test]
    fn a_payload_is_linked_by_its_path() {
        let linked = |ty| link(&ty).unwrap_or_default();
        assert_eq!(linked(parse_quote!(Flight)), "[`Flight`]");
        assert_eq!(
            linked(parse_quote!(Vec<crate::flight::Flight>)),
            "[`crate::flight::Flight`]"
        );
        assert_eq!(
            linked(parse_quote!(std::option::Option<Line<'_>>)),
            "[`Line`]"
        );
        assert_eq!(linked(parse_quote!(Page<Order>)), "[`Page`]");
        assert_eq!(
            linked(parse_quote!(Result<Vec<KafkaEvent<Leg, u8>>, ProduceError>)),
            "[`Leg`]"
        );
        assert_eq!(linked(parse_quote!(Sent<Leg>)), "[`Sent`]");
    }

    #[test]
    fn what_rustdoc_can_not_follow_is_not_linked() {
        let linked = |ty| link(&ty);
        assert_eq!(linked(parse_quote!(&[u8])), None);
        assert_eq!(linked(parse_quote!((u8, u8))), None);
        assert_eq!(linked(parse_quote!(<T as Trait>::Out)), None);
        assert_eq!(linked(parse_quote!(::bytes::Bytes)), None);
    }
}

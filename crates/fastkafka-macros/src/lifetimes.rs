//! Elided lifetimes made explicit, where the expansion needs a type outside a function's signature.

use proc_macro2::{Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// The tokens of a type with every elided lifetime (`'_`, `&T`) replaced.
pub(crate) fn with_lifetime(ty: &impl ToTokens, lifetime: &str) -> TokenStream {
    replace(ty.to_token_stream(), lifetime)
}

fn replace(tokens: TokenStream, lifetime: &str) -> TokenStream {
    let mut out = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == '\'' => {
                if matches!(tokens.peek(), Some(TokenTree::Ident(ident)) if ident == "_") {
                    tokens.next();
                    out.extend(tick(lifetime, punct.span()));
                } else {
                    out.extend([TokenTree::Punct(punct)]);
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == '&' => {
                let span = punct.span();
                out.extend([TokenTree::Punct(punct)]);
                if !matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == '\'')
                {
                    out.extend(tick(lifetime, span));
                }
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replace(group.stream(), lifetime));
                inner.set_span(group.span());
                out.extend([TokenTree::Group(inner)]);
            }
            other => out.extend([other]),
        }
    }
    out
}

fn tick(lifetime: &str, span: Span) -> [TokenTree; 2] {
    let mut quote = Punct::new('\'', Spacing::Joint);
    quote.set_span(span);
    [
        TokenTree::Punct(quote),
        TokenTree::Ident(Ident::new(lifetime, span)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(ty: &str) -> String {
        let ty: syn::Type = syn::parse_str(ty).unwrap();
        let tokens = with_lifetime(&ty, "run").to_string();
        let ty: syn::Type = syn::parse_str(&tokens).unwrap();
        ty.to_token_stream().to_string().replace(' ', "")
    }

    #[test]
    fn only_elided_lifetimes_are_replaced() {
        assert_eq!(replaced("Line<'_>"), "Line<'run>");
        assert_eq!(replaced("Vec<&[u8]>"), "Vec<&'run[u8]>");
        assert_eq!(replaced("&'static str"), "&'staticstr");
        assert_eq!(
            replaced("Option<(Line<'_>, &str)>"),
            "Option<(Line<'run>,&'runstr)>"
        );
    }
}

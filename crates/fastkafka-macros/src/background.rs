//! `#[run_in_background]`: what it means, and the code it becomes: the function unchanged, and a struct
//! of the same name that is its definition.

use crate::args::Args;
use crate::definition::{Function, local};
use crate::errors::Errors;
use crate::item::Item;
use crate::keys::BACKGROUND;
use crate::names::Names;
use crate::settings::Settings;
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ReturnType, Type};

/// A background task, checked as far as it can be without types.
struct Model {
    function: Function,
    /// Each made through `FromApp`.
    parameters: Vec<Type>,
    output: TokenStream,
    /// The place for mistakes of the return type.
    output_span: Span,
    settings: Settings,
}

pub(crate) fn expand(attribute: TokenStream, item: &TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = Args::parse(&BACKGROUND, attribute, &mut errors);
    let (mut item, mut errors) = match Item::parse_or_report(&BACKGROUND, item, errors) {
        Ok(parsed) => parsed,
        Err(tokens) => return tokens,
    };
    let model = Model::new(args, &item, &mut errors);
    if !errors.is_empty() {
        let errors = errors.into_tokens();
        return quote!(#item #errors);
    }
    item.document("Runs in background while the app is started.");
    let definition = model
        .function
        .define(["Background", "RunsInBackground"], &model.background());
    quote!(#item #definition)
}

impl Model {
    /// Whether it holds is in `errors`.
    fn new(mut args: Args, item: &Item, errors: &mut Errors) -> Self {
        item.check(&BACKGROUND, errors);
        let names = Names::without_topic(&mut args, item);
        let settings = Settings::new(args.rest(), errors);
        let ident = &item.sig.ident;
        if !item.is_async() {
            errors.on(item.sig.fn_token, format_args!(
                "background task `{ident}` must be an `async fn`: it is cancelled where it awaits; work that blocks a thread goes into `tokio::task::spawn_blocking` inside it"
            ));
        }
        if settings.word("restart") == Some("Never") || settings.place("restart").is_none() {
            for key in ["backoff", "backoff_max"] {
                if let Some(span) = settings.place(key) {
                    errors.at(span, format_args!(
                        "`{key}` is the pause before a restart, and background task `{ident}` is not restarted; add `restart = \"on_failure\"`"
                    ));
                }
            }
        }
        let (output, output_span) = match &item.sig.output {
            // The type of what never returns has no name yet.
            ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)) => (quote!(()), ty.span()),
            _ => item.output(),
        };
        Self {
            function: Function {
                ident: ident.clone(),
                vis: item.vis.clone(),
                cfgs: item.cfgs(),
                names,
            },
            parameters: item.parameters().cloned().collect(),
            output,
            output_span,
            settings,
        }
    }

    fn background(&self) -> TokenStream {
        let (p, ident) = (&self.function.names.contract, &self.function.ident);
        let place = self.function.place();
        let settings = self.settings.expand(p, "BackgroundSettings");
        let (run, requires) = (self.run(), self.requires());
        quote! {
            impl #p::Background for #ident {
                const DEF: #p::BackgroundDef = #p::BackgroundDef {
                    #place
                    settings: #settings,
                    requires: <Self as #p::Background>::requires,
                    run: #p::run_in_background::<Self>,
                };
                #run
                #requires
            }
        }
    }

    fn run(&self) -> TokenStream {
        let (p, ident) = (&self.function.names.contract, &self.function.ident);
        let (states, output) = (local("states"), local("output"));
        let parameters = self
            .parameters
            .iter()
            .map(|ty| quote_spanned!(ty.span()=> <#ty as #p::FromApp>::from_app(&#states)?));
        let ty = &self.output;
        let outcome = quote_spanned!(self.output_span=> <#ty as #p::TaskReturn>::outcome(#output));
        let call = quote_spanned!(ident.span()=> async move {
            let #output: #ty = #ident(#(#parameters),*).await;
            #outcome
        });
        quote! {
            #[allow(unreachable_code, clippy::let_unit_value)]
            fn run(
                #states: ::std::sync::Arc<#p::States>,
            ) -> impl ::core::future::Future<Output = ::core::result::Result<(), #p::Failure>>
            + ::core::marker::Send
            + 'static {
                let _ = &#states;
                #call
            }
        }
    }

    fn requires(&self) -> TokenStream {
        let (p, need) = (&self.function.names.contract, local("need"));
        let requires = self
            .parameters
            .iter()
            .map(|ty| quote_spanned!(ty.span()=> <#ty as #p::FromApp>::requires(#need);));
        quote! {
            fn requires(#need: &mut dyn ::core::ops::FnMut(::core::any::TypeId, &'static str)) {
                let _ = &#need;
                #(#requires)*
            }
        }
    }
}

//! Generated code under strict lints, without a prelude, through a renamed path.
#![deny(
    warnings,
    missing_docs,
    missing_debug_implementations,
    nonstandard_style,
    private_bounds,
    private_interfaces,
    rust_2018_idioms,
    unnameable_types,
    unreachable_pub,
    unused,
    unused_qualifications,
    clippy::all,
    clippy::pedantic
)]
#![forbid(unsafe_code)]
#![no_implicit_prelude]

extern crate std;

mod renamed {
    pub(crate) mod deep {
        pub(crate) use ::fastkafka as fk;
    }
}

/// A public module: its items are held to more lints.
pub mod public {
    use ::fastkafka::{EventMetadata, KafkaEvent, Key, ProduceError, RawRecord, State};
    // Names that the expansion writes with their paths must not become redundant by these.
    #[allow(unused_imports)]
    use ::fastkafka::__private::*;
    use ::fastkafka_macros::{consumes, produces};
    use ::std::result::Result::{self, Ok};
    use ::std::string::String;

    // The derive of schemars needs it.
    use ::std::convert::Into as _;

    /// A payload.
    #[derive(Debug, ::serde::Deserialize, ::serde::Serialize, ::schemars::JsonSchema)]
    pub struct Order {
        /// Its number.
        pub id: u64,
    }

    #[consumes(crate = crate::strict::renamed::deep::fk, group_id = "strict", attempts = 3)]
    pub async fn on_renamed(order: Order, meta: EventMetadata, State(n): State<u64>) {
        let _ = (order.id, meta, n);
        to_renamed_out(1, (2, 3)).await.ok();
    }

    #[produces(crate = crate::strict::renamed::deep::fk, linger_ms = 1)]
    pub async fn to_renamed_out(
        mut n: u64,
        (a, _): (u64, u64),
    ) -> Result<KafkaEvent<Order>, ProduceError> {
        n += a;
        Ok(KafkaEvent::new(Order { id: n }))
    }

    /// Has a name that is a keyword.
    #[consumes(topic = "loop")]
    #[allow(clippy::needless_pass_by_value)]
    pub fn r#loop(_order: Order, key: Key<String>, raw: RawRecord<'_>) {
        ::std::mem::drop((key, raw));
    }

    #[consumes(decoder = "json")]
    pub(in crate::strict::public) fn on_private(msg: ::std::vec::Vec<Order>) {
        ::std::mem::drop(msg);
    }

    /// A producer that is not async.
    ///
    /// # Errors
    /// When it is not in a scope.
    #[produces]
    pub fn to_sync(r#type: u64) -> Result<Order, ProduceError> {
        Ok(Order { id: r#type })
    }
}

mod private {
    use super::public::Order;
    use ::fastkafka_macros::consumes;

    #[consumes]
    #[allow(clippy::needless_pass_by_value)]
    fn on_unseen(order: Order) {
        let Order { id } = order;
        ::std::assert!(id > 0);
    }

    #[cfg(any())]
    #[consumes]
    fn on_cfg_out(msg: DoesNotExist) {}
}

#[::core::prelude::v1::test]
fn all_of_it_is_registered() {
    use ::fastkafka::{Consumer, DefaultApp, Registry};
    use ::std::iter::Iterator;

    let registry = Registry::linked(::std::any::TypeId::of::<DefaultApp>());
    // Other files of this executable have functions of the default app as well.
    let here = registry
        .defs()
        .iter()
        .filter(|def| def.module().starts_with(::std::module_path!()));
    let names: ::std::vec::Vec<_> = here.map(::fastkafka::Def::name).collect();
    ::std::assert_eq!(
        names,
        [
            "on_unseen",
            "loop",
            "on_private",
            "on_renamed",
            "to_renamed_out",
            "to_sync"
        ]
    );
    ::std::assert_eq!(public::r#loop::DEF.name, "loop");
}

//! What can be ordered, what an order must be like, and what comes of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What there is to drink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Drink {
    /// Small and strong.
    Espresso,
    /// With milk.
    Cappuccino,
    /// Black.
    Tea,
}

impl Drink {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Espresso, Self::Cappuccino, Self::Tea];

    /// As records and forms name it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Espresso => "espresso",
            Self::Cappuccino => "cappuccino",
            Self::Tea => "tea",
        }
    }

    /// The price of a cup.
    pub fn cents(self) -> u32 {
        match self {
            Self::Espresso => 240,
            Self::Cappuccino => 320,
            Self::Tea => 280,
        }
    }
}

/// As people name it.
impl fmt::Display for Drink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Espresso => "Espresso",
            Self::Cappuccino => "Cappuccino",
            Self::Tea => "Tea",
        })
    }
}

/// What a guest asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Wish {
    /// The name on the cup.
    pub name: String,
    /// What.
    pub drink: Drink,
    /// How many, 1 to [`MOST_CUPS`].
    pub cups: u32,
}

/// An order that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Order {
    /// Its number: the key of all its records.
    pub id: String,
    /// The name on the cup.
    pub name: String,
    /// What.
    pub drink: Drink,
    /// How many.
    pub cups: u32,
}

/// The answer to an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Receipt {
    /// What was ordered.
    pub order: Order,
    /// What it costs.
    pub total_cents: u32,
}

/// Cups in one order.
pub const MOST_CUPS: u32 = 20;
/// Letters in a name.
pub const LONGEST_NAME: usize = 40;

/// What is wrong with a wish, by field.
pub type Mistakes = BTreeMap<&'static str, String>;

impl Order {
    /// Takes a wish as an order with a number of its own.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn take(wish: Wish) -> Result<Self, Mistakes> {
        let name = wish.name.trim();
        let mut mistakes = Mistakes::new();
        match name.chars().count() {
            0 => {
                mistakes.insert("name", "must not be empty".to_owned());
            }
            1..=LONGEST_NAME => {}
            letters => {
                let what = format!("must have at most {LONGEST_NAME} letters, not {letters}");
                mistakes.insert("name", what);
            }
        }
        if !(1..=MOST_CUPS).contains(&wish.cups) {
            mistakes.insert("cups", not_cups(wish.cups));
        }
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        Ok(Self {
            id: format!("{:016x}", rand::random::<u64>()),
            name: name.to_owned(),
            drink: wish.drink,
            cups: wish.cups,
        })
    }

    /// Works out the receipt.
    pub fn receipt(self) -> Receipt {
        Receipt {
            total_cents: self.cups * self.drink.cents(),
            order: self,
        }
    }
}

fn not_cups(cups: impl fmt::Display) -> String {
    format!("must be a whole number from 1 to {MOST_CUPS}, not “{cups}”")
}

/// A form as it was filled in, to be shown again if something is wrong with it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filled {
    /// The field `name`.
    pub name: String,
    /// The field `drink`.
    pub drink: String,
    /// The field `cups`.
    pub cups: String,
}

impl Filled {
    /// Takes the form as an order.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn take(&self) -> Result<Order, Mistakes> {
        let drink = Drink::ALL
            .into_iter()
            .find(|drink| drink.id() == self.drink);
        let cups = self.cups.trim().parse().ok();
        let wish = Wish {
            name: self.name.clone(),
            drink: drink.unwrap_or(Drink::Espresso),
            cups: cups.unwrap_or(1),
        };
        let taken = Order::take(wish);
        if drink.is_some() && cups.is_some() {
            return taken;
        }
        let mut mistakes = taken.err().unwrap_or_default();
        if drink.is_none() {
            mistakes.insert("drink", "must be one of the drinks".to_owned());
        }
        if cups.is_none() {
            mistakes.insert("cups", not_cups(&self.cups));
        }
        Err(mistakes)
    }
}

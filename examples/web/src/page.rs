//! The pages, as HTML.

use crate::board::Slip;
use crate::order::{Drink, Filled, LONGEST_NAME, MOST_CUPS, Mistakes, Order, Receipt};
use maud::{DOCTYPE, Markup, html};

/// What every page has around it.
fn around(title: &str, head: &Markup, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Drinks" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/style.css";
                (head)
            }
            body {
                main { (main) }
                footer {
                    p {
                        "Orders go to the topic " code { "orders" }
                        ", receipts come back on " code { "receipts" } "."
                    }
                }
            }
        }
    }
}

/// The form, as it was filled in, with what is wrong beside its fields.
pub(crate) fn form(filled: &Filled, mistakes: &Mistakes) -> Markup {
    let title = if mistakes.is_empty() {
        "Order a drink"
    } else {
        "Please check your order"
    };
    let cups = if filled.cups.is_empty() {
        "1"
    } else {
        &filled.cups
    };
    let main = html! {
        h1 { (title) }
        form method="post" action="/orders" {
            fieldset aria-describedby=[described(mistakes, "drink")] {
                legend { "Drink" }
                div.drinks {
                    @for (n, drink) in Drink::ALL.into_iter().enumerate() {
                        label {
                            input type="radio" name="drink" value=(drink.id()) required
                                checked[drink.id() == filled.drink || n == 0 && filled.drink.is_empty()];
                            span { (drink) }
                            span.price { (euros(drink.cents())) }
                        }
                    }
                }
                (mistake(mistakes, "drink"))
            }
            div.field {
                label for="cups" { "Cups" }
                input #cups type="number" name="cups" inputmode="numeric" min="1" max=(MOST_CUPS)
                    required value=(cups) aria-describedby=[described(mistakes, "cups")]
                    aria-invalid=[mistakes.get("cups").map(|_| "true")];
                (mistake(mistakes, "cups"))
            }
            div.field {
                label for="name" { "Name on the cup" }
                input #name type="text" name="name" autocomplete="given-name" maxlength=(LONGEST_NAME)
                    required value=(filled.name) aria-describedby=[described(mistakes, "name")]
                    aria-invalid=[mistakes.get("name").map(|_| "true")];
                (mistake(mistakes, "name"))
            }
            button { "Order" }
        }
    };
    around(title, &html! {}, &main)
}

fn described(mistakes: &Mistakes, field: &str) -> Option<String> {
    mistakes.get(field).map(|_| format!("{field}-mistake"))
}

fn mistake(mistakes: &Mistakes, field: &str) -> Markup {
    html! {
        @if let Some(what) = mistakes.get(field) {
            p.mistake id=(format!("{field}-mistake")) { (what) }
        }
    }
}

/// An order, with its receipt as soon as that has come.
pub(crate) fn slip(slip: &Slip) -> Markup {
    let (order, waits) = match slip {
        Slip::Ordered { order } => (order, true),
        Slip::Answered(receipt) => (&receipt.order, false),
    };
    let title = format!("Thank you, {}", order.name);
    let head = html! {
        @if waits {
            script type="module" src="/order.js" {}
            // Without the script the page asks again by itself.
            noscript { meta http-equiv="refresh" content="1"; }
        }
    };
    let events = waits.then(|| format!("/orders/{}/receipt", order.id));
    let main = html! {
        h1 { (title) }
        p.lead { (cups(order)) ". Your order is number " code { (order.id) } "." }
        div.answer role="status" data-events=[events] {
            @match slip {
                Slip::Ordered { .. } => p.waits { "Waiting for the receipt" },
                Slip::Answered(receipt) => (self::receipt(receipt)),
            }
        }
        p { a href="/" { "Order another drink" } }
    };
    around(&title, &head, &main)
}

/// The receipt, also sent alone to a page that waits for it.
pub(crate) fn receipt(receipt: &Receipt) -> Markup {
    let order = &receipt.order;
    html! {
        h2 { "Receipt" }
        dl {
            dt { (cups(order)) }
            dd { (euros(order.drink.cents())) " each" }
            dt { "Total" }
            dd { strong { (euros(receipt.total_cents)) } }
        }
    }
}

/// What went wrong, and the way back.
pub(crate) fn sorry(what: &str) -> Markup {
    let main = html! {
        h1 { "Sorry" }
        p.lead { (what) }
        p { a href="/" { "Order a drink" } }
    };
    around("Sorry", &html! {}, &main)
}

fn cups(order: &Order) -> String {
    format!("{} × {}", order.cups, order.drink)
}

fn euros(cents: u32) -> String {
    format!("€{}.{:02}", cents / 100, cents % 100)
}

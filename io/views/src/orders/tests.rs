use super::*;
use crate::world::{self, CONCERT, DROP, order_id};

/// All pages of a query, one after the other.
fn pages(state: &State, mut query: OrdersQuery) -> Vec<OrdersPage> {
    let mut pages = Vec::new();
    loop {
        let page = orders(state, &query);
        assert!(page.orders.len() <= query.count_max);
        query.after = page.next;
        pages.push(page);
        if query.after.is_none() {
            return pages;
        }
    }
}

fn query(sale: SaleId, count_max: usize) -> OrdersQuery {
    OrdersQuery { sale, state: None, after: None, count_max }
}

fn ids(pages: &[OrdersPage]) -> Vec<OrderId> {
    pages.iter().flat_map(|page| &page.orders).map(|order| order.order).collect()
}

#[test]
fn pages_have_every_order_of_the_sale_once_and_in_order() {
    const COUNT: u64 = 60;
    let state = world::state(&world::facts(COUNT));
    for sale in [CONCERT, DROP] {
        let all: Vec<OrderId> =
            (0..COUNT).filter(|index| world::sale_of(*index) == sale).map(order_id).collect();
        for count_max in [1, 2, 7, 20, 40, 41, 500] {
            let pages = pages(&state, query(sale, count_max));
            assert_eq!(ids(&pages), all);
            assert_eq!(pages.len(), all.len().div_ceil(count_max), "no empty page at the end");
            assert!(pages.iter().all(|page| page.seq == state.seq()));
        }
    }
    assert_eq!(ids(&pages(&state, query(SaleId(7), 5))), []);
}

#[test]
fn only_orders_in_the_wanted_state_are_listed() {
    let state = world::state(&world::facts(70));
    let mut count = 0;
    for wanted in OrderState::ALL {
        for sale in [CONCERT, DROP] {
            let pages = pages(&state, OrdersQuery { state: Some(wanted), ..query(sale, 3) });
            assert!(pages.iter().flat_map(|page| &page.orders).all(|order| order.state == wanted));
            count += ids(&pages).len();
        }
    }
    assert_eq!(count, 70);
}

#[test]
fn page_looks_at_a_bounded_number_of_orders() {
    let order_count = PAGE_LOOK_COUNT_MAX as u64 * 2;
    let state = world::state(&world::facts(order_count));
    let refunded = OrdersQuery { state: Some(OrderState::Refunded), ..query(CONCERT, 10) };
    let page = orders(&state, &refunded);
    let unseen = order_id(PAGE_LOOK_COUNT_MAX as u64);
    assert_eq!((page.orders.len(), page.next), (0, OrderId::from_raw(unseen.raw() - 1)));
    assert_eq!(pages(&state, refunded).len(), 2);
    assert_eq!(orders(&state, &query(CONCERT, usize::MAX)).orders.len(), PAGE_ORDER_COUNT_MAX);
    assert_eq!(orders(&state, &query(CONCERT, 0)).orders.len(), 1);
}

#[test]
fn nothing_comes_after_the_last_number() {
    let state = world::state(&world::facts(3));
    let after = OrderId::from_raw(u64::MAX >> 1);
    let page = orders(&state, &OrdersQuery { after, ..query(CONCERT, 5) });
    assert_eq!((page.orders.len(), page.next), (0, None));
}

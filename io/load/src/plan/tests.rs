use super::*;

fn plan() -> Plan {
    Plan::open(([127, 0, 0, 1], 80).into(), 100)
}

/// What is said about a plan after a change.
fn complaint(change: impl FnOnce(&mut Plan)) -> String {
    let mut plan = plan();
    change(&mut plan);
    plan.check().unwrap_err().to_string()
}

#[test]
fn usual_plans_can_be_carried_out() {
    assert_eq!(plan().check(), Ok(()));
    assert_eq!(Plan::closed(plan().target).check(), Ok(()));
}

#[test]
fn every_bound_is_kept() {
    let connections = complaint(|plan| plan.connection_count = CONNECTION_COUNT_MAX + 1);
    assert_eq!(connections, "the number of connections must be from 1 to 15000, not 15001");
    assert!(complaint(|plan| plan.connection_count = 0).contains("connections"));
    assert!(complaint(|plan| plan.thread_count = THREAD_COUNT_MAX + 1).contains("threads"));
    assert!(complaint(|plan| plan.pipeline_depth = PIPELINE_DEPTH_MAX + 1).contains("pipeline"));
    assert!(complaint(|plan| plan.queue_len_max = 0).contains("queue"));
    assert!(complaint(|plan| *plan = Plan::open(plan.target, 0)).contains("rate"));
    assert!(complaint(|plan| *plan = Plan::open(plan.target, RATE_MAX + 1)).contains("rate"));
    assert!(complaint(|plan| plan.duration = Duration::ZERO).contains("duration"));
    assert!(complaint(|plan| plan.timeout = SPAN_MAX + Duration::from_secs(1)).contains("timeout"));
    assert!(complaint(|plan| plan.warm_up = SPAN_MAX + Duration::from_secs(1)).contains("warm-up"));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let threads = complaint(|plan| (plan.thread_count, plan.connection_count) = (3, 2));
    assert_eq!(threads, "3 threads cannot share 2 connections");
    assert!(
        complaint(|plan| (plan.new_connections, plan.pipeline_depth) = (true, 2)).contains("new connection")
    );
}

#[test]
fn plan_is_flat_json_with_seconds() {
    let json = serde_json::to_value(plan()).unwrap();
    assert_eq!((json["pace"].as_str(), json["rate_per_second"].as_u64()), (Some("open"), Some(100)));
    assert_eq!((json["duration_s"].as_f64(), json["spacing"].as_str()), (Some(10.0), Some("poisson")));
}

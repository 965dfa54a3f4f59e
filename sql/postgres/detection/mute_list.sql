SELECT mute_id, customer_id, metric, by, reason,
    (extract(epoch FROM starts_at) * 1000)::bigint AS starts_ms,
    (extract(epoch FROM ends_at) * 1000)::bigint AS ends_ms
FROM anomaly_mutes WHERE ends_at > clock_timestamp() ORDER BY starts_at, mute_id

-- Flink SQL over the bridge's topic. Needs flink-sql-connector-kafka and flink-sql-avro-confluent-registry in Flink's lib folder.

CREATE TABLE rma_topic (
  rma_identifier STRING NOT NULL,
  `status` STRING NOT NULL,
  created_at TIMESTAMP(3) NOT NULL,
  updated_at TIMESTAMP(3),
  items ARRAY<ROW<
    order_line_item_identifier STRING,
    order_identifier STRING,
    secondary_identifier STRING,
    exchange_order_identifier STRING,
    original_order_identifier STRING,
    return_reason STRING,
    is_exchange BOOLEAN,
    sku STRING,
    upc STRING,
    tracking_number STRING,
    package_tracking_status STRING,
    receiving_status STRING,
    refund_financials ROW<
      estimated_refund_amount_cents BIGINT,
      optoro_refund_amount_cents BIGINT,
      shopper_refund_amount_cents BIGINT
    >,
    refund_type STRING,
    original_refund_type STRING,
    warehouse_receipt_condition STRING
  >>,
  return_method STRING NOT NULL,
  return_shipping_cost_cents BIGINT NOT NULL,
  bonus_credit_amount_cents BIGINT,
  gift_refund_only BOOLEAN NOT NULL,
  giftee_email STRING,
  warehouse_id STRING,
  receiving_complete BOOLEAN,
  concept STRING,
  vendor STRING,
  customer ROW<tags ARRAY<STRING>>,
  webhook ROW<
    event_id STRING,
    webhook STRING,
    tenant STRING,
    api_version STRING,
    received_at TIMESTAMP(3)
  >,
  additional_fields STRING,
  record_key STRING
) WITH (
  'connector' = 'kafka',
  'properties.bootstrap.servers' = 'localhost:9092',
  'topic' = 'returns.rma.v1',
  'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset',
  'key.format' = 'raw',
  'key.fields' = 'record_key',
  'value.format' = 'avro-confluent',
  'value.avro-confluent.url' = 'http://localhost:8081',
  'value.fields-include' = 'EXCEPT_KEY'
);

-- What the queries of docs/records.md read.
CREATE VIEW rma_records AS
SELECT t.*, t.webhook.event_id AS event_id, t.webhook.received_at AS received_at FROM rma_topic AS t;

-- One row for each returned item of every message, duplicates removed.
CREATE VIEW returned_items AS
SELECT event_id, rma_identifier, `status`, sku, refund_type, refund_financials.shopper_refund_amount_cents
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY event_id ORDER BY received_at) AS delivery FROM rma_records
) AS deliveries
CROSS JOIN UNNEST(items)
WHERE delivery = 1;

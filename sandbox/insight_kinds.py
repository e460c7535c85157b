"""The kinds of trouble that DevOps Guru finds in the sandbox, each with its metric, its events and its advice."""

from __future__ import annotations

from dataclasses import dataclass

_GUIDE = "https://docs.aws.amazon.com/"


@dataclass(frozen=True)
class Metric:
    """A CloudWatch metric: what it is `usually` and `when_wrong`; `limit` is what a forecast runs into."""

    name: str
    namespace: str
    dimension: str
    stat: str
    unit: str
    usually: float
    when_wrong: float
    limit: float | None = None
    is_load: bool = False
    """Whether Performance Insights tells of it, by two figures instead of values over time."""


@dataclass(frozen=True)
class Event:
    """Something CloudTrail saw, `minutes` after the insight's start (negative: before it)."""

    name: str
    source: str
    event_class: str
    minutes: float


@dataclass(frozen=True)
class Advice:
    """A recommendation."""

    name: str
    description: str
    reason: str
    link: str


@dataclass(frozen=True)
class Kind:
    """One kind of insight; those with a limit in their first metric are proactive."""

    key: str
    name: str
    description: str
    service: str
    resource_type: str
    stack: str
    resource: str
    metrics: tuple[Metric, ...]
    events: tuple[Event, ...]
    advice: tuple[Advice, ...]

    @property
    def is_proactive(self) -> bool:
        """Whether it is about what is to come."""
        return self.metrics[0].limit is not None


KINDS = {
    kind.key: kind
    for kind in (
        Kind(
            "lambda-duration",
            "Lambda p50 duration is anomalous in checkout-service",
            "Since the last deployment the function checkout-handler takes many times as long as it used to.",
            "LAMBDA",
            "AWS::Lambda::Function",
            "checkout-service",
            "checkout-handler",
            (
                Metric("Duration", "AWS/Lambda", "FunctionName", "p50", "Milliseconds", 118, 2_350),
                Metric("ConcurrentExecutions", "AWS/Lambda", "FunctionName", "Maximum", "Count", 14, 96),
            ),
            (
                Event("CreateChangeSet", "cloudformation.amazonaws.com", "INFRASTRUCTURE", -17),
                Event("UpdateFunctionCode20150331v2", "lambda.amazonaws.com", "DEPLOYMENT", -12),
                Event("UpdateFunctionConfiguration20150331v2", "lambda.amazonaws.com", "CONFIG_CHANGE", -11),
            ),
            (
                Advice(
                    "Configure provisioned concurrency for checkout-handler",
                    "Keep execution environments initialised, so that requests do not wait for cold starts.",
                    "The duration rose together with the number of concurrent executions, after a deployment.",
                    f"{_GUIDE}lambda/latest/dg/provisioned-concurrency.html",
                ),
                Advice(
                    "Roll the last deployment back",
                    "Go back to the function's version before the deployment, and look at what it changed.",
                    "A deployment of the function came 12 minutes before the anomaly.",
                    f"{_GUIDE}lambda/latest/dg/configuration-aliases.html",
                ),
            ),
        ),
        Kind(
            "ecs-memory",
            "ECS memory utilization will reach its limit in orders-service",
            "The memory of the service orders grows steadily and will reach what its tasks may use.",
            "ECS",
            "AWS::ECS::Service",
            "orders-service",
            "orders",
            (Metric("MemoryUtilization", "AWS/ECS", "ServiceName", "Average", "Percent", 48, 86, 100),),
            (
                Event("RegisterTaskDefinition", "ecs.amazonaws.com", "DEPLOYMENT", -35),
                Event("UpdateService", "ecs.amazonaws.com", "DEPLOYMENT", -33),
            ),
            (
                Advice(
                    "Raise the memory of the task definition",
                    "Give the tasks of orders more memory, or look for what they do not let go of.",
                    "At its present growth the memory is used up at the predicted time.",
                    f"{_GUIDE}AmazonECS/latest/developerguide/task_definition_parameters.html",
                ),
            ),
        ),
        Kind(
            "rds-storage",
            "RDS free storage will run out in ledger-database",
            "The disk of the database ledger fills up faster than it is emptied.",
            "RDS",
            "AWS::RDS::DBInstance",
            "ledger-database",
            "ledger",
            (Metric("StorageUsed", "AWS/RDS", "DBInstanceIdentifier", "Average", "Percent", 71, 91, 100),),
            (Event("ModifyDBInstance", "rds.amazonaws.com", "CONFIG_CHANGE", -190),),
            (
                Advice(
                    "Turn storage autoscaling on",
                    "Let RDS add storage before the database stops taking writes.",
                    "The free storage falls by about one percent an hour.",
                    f"{_GUIDE}AmazonRDS/latest/UserGuide/USER_PIOPS.StorageTypes.html",
                ),
            ),
        ),
        Kind(
            "rds-load",
            "RDS database load is anomalous in routing-database",
            "The database routing has more sessions at work than it has processors; most wait for a lock.",
            "RDS",
            "AWS::RDS::DBInstance",
            "routing-database",
            "routing",
            (
                Metric("DatabaseConnections", "AWS/RDS", "DBInstanceIdentifier", "Average", "Count", 22, 188),
                Metric("DBLoad", "AWS/RDS", "DBInstanceIdentifier", "Average", "None", 1.4, 11.6, is_load=True),
            ),
            (
                Event("ModifyDBParameterGroup", "rds.amazonaws.com", "CONFIG_CHANGE", -75),
                Event("CreateDeployment", "codedeploy.amazonaws.com", "DEPLOYMENT", -9),
            ),
            (
                Advice(
                    "Look into the wait event Lock:tuple",
                    "Find the statements that hold the lock, in Performance Insights under top SQL.",
                    "The load is above the number of virtual processors, and most of it waits for Lock:tuple.",
                    f"{_GUIDE}AmazonRDS/latest/UserGuide/USER_PerfInsights.UsingDashboard.html",
                ),
                *(
                    Advice(
                        f"Tune the statement {number} of the top SQL",
                        "Look at its plan and at the indexes that it uses.",
                        f"It is number {number} of those that wait longest.",
                        f"{_GUIDE}AmazonRDS/latest/UserGuide/USER_PerfInsights.UsingDashboard.Components.html",
                    )
                    for number in range(2, 13)
                ),
            ),
        ),
        Kind(
            "dynamodb-throttles",
            "DynamoDB write throttling is anomalous in cart-table",
            "Writes to the table carts are refused because they exceed its capacity.",
            "DYNAMO_DB",
            "AWS::DynamoDB::Table",
            "cart-table",
            "carts",
            (Metric("WriteThrottleEvents", "AWS/DynamoDB", "TableName", "Sum", "Count", 2, 410),),
            (Event("UpdateTable", "dynamodb.amazonaws.com", "CONFIG_CHANGE", -48),),
            (
                Advice(
                    "Use on-demand capacity for carts",
                    "On-demand capacity follows the traffic; provisioned capacity was lowered shortly before.",
                    "UpdateTable lowered the capacity 48 minutes before the anomaly.",
                    f"{_GUIDE}amazondynamodb/latest/developerguide/capacity-mode.html",
                ),
            ),
        ),
        Kind(
            "api-errors",
            "API Gateway 5XX errors are anomalous in storefront-api",
            "The API answers many requests with server errors.",
            "API_GATEWAY",
            "AWS::ApiGateway::RestApi",
            "storefront-api",
            "storefront",
            (Metric("5XXError", "AWS/ApiGateway", "ApiName", "Sum", "Count", 3, 264),),
            (Event("CreateDeployment", "apigateway.amazonaws.com", "DEPLOYMENT", -6),),
            (
                Advice(
                    "Check the integration behind storefront",
                    "Look at the integration's log of the deployment that came just before.",
                    "A deployment came 6 minutes before the errors.",
                    f"{_GUIDE}apigateway/latest/developerguide/http-api-troubleshooting-lambda.html",
                ),
            ),
        ),
        Kind(
            "sqs-age",
            "SQS age of oldest message is anomalous in invoice-queue",
            "Messages wait in the queue for much longer than usual.",
            "SQS",
            "AWS::SQS::Queue",
            "invoice-queue",
            "invoices",
            (Metric("ApproximateAgeOfOldestMessage", "AWS/SQS", "QueueName", "Maximum", "Seconds", 40, 5_400),),
            (),
            (
                Advice(
                    "Add consumers to the queue invoices",
                    "Raise the concurrency of what reads the queue.",
                    "Messages arrive faster than they are taken.",
                    f"{_GUIDE}AWSSimpleQueueService/latest/SQSDeveloperGuide/working-with-messages.html",
                ),
            ),
        ),
        Kind(
            "ec2-network",
            "EC2 NAT connections are anomalous in network-core",
            "The gateway drops connections because its ports are used up.",
            "NAT_GATEWAY",
            "AWS::EC2::NatGateway",
            "network-core",
            "nat-core-1",
            (Metric("ErrorPortAllocation", "AWS/NATGateway", "NatGatewayId", "Sum", "Count", 0.4, 58),),
            (Event("ReplaceRoute", "ec2.amazonaws.com", "INFRASTRUCTURE", -22),),
            (
                Advice(
                    "Add addresses to the gateway nat-core-1",
                    "Each further address adds 55,000 ports to one destination.",
                    "A route that was replaced 22 minutes before leads more traffic here.",
                    f"{_GUIDE}vpc/latest/userguide/nat-gateway-troubleshooting.html",
                ),
            ),
        ),
    )
}

ORDINARY = tuple(key for key in KINDS if key != "rds-load")
"""Kinds that any account may have."""

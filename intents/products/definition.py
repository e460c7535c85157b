"""What people say to order, change and end products, and what they are asked. Parameters become questions later."""

from __future__ import annotations

from dataclasses import replace

from bot.intent import Definition, Slot, SlotType, Value

ORDER, UPDATE, TERMINATION = "ProductOrder", "ProductUpdate", "ProductTermination"

PRODUCT = SlotType("Product", listed=False, samples=("Encrypted S3 bucket", "PostgreSQL database", "Team network"))
PROVISIONED = SlotType("ProvisionedProduct", listed=False, samples=("orders-db", "web-shop-bucket", "payments-queue"))
PRODUCT_KIND = SlotType(
    "ProductKind",
    tuple(
        Value(v)
        for v in (
            "encrypted bucket",
            "S3 bucket",
            "PostgreSQL database",
            "database",
            "VPC",
            "private network",
            "bastion host",
            "virtual machine",
            "Windows server",
            "Kubernetes cluster",
            "load balancer",
            "message queue",
            "Redis cache",
            "file share",
        )
    ),
)
PROVISIONED_KIND = SlotType(
    "ProvisionedKind",
    tuple(Value(v) for v in ("team-bucket", "web-network", "kim-logs", "encrypted-s3-bucket-kim")),
)
# Products and names are known at run time only, and must be taken as typed: a recogniser that knew some would take
# others for misspelt ones of those. These two slots are never asked and never kept; their values only teach it what
# products and names sound like.
KIND_SLOT = Slot("ProductKind", PRODUCT_KIND, required=False)
NAME_KIND_SLOT = Slot("ProvisionedKind", PROVISIONED_KIND, required=False)

PRODUCT_SLOT = Slot(
    "Product",
    PRODUCT,
    prompt="{name}, which product would you like? {choices}?",
    again="Which product would you like? {choices}?",
    label="Product",
    utterances=("the {Product}", "a {Product}", "make it the {Product}", "rather the {Product}", "take the {Product}"),
)
VERSION_SLOT = Slot(
    "Version",
    SlotType("ProductVersion", listed=False, samples=("v2", "1.4.0", "2026-05")),
    required=False,
    label="Version",
    utterances=("version {Version}", "use version {Version}", "take version {Version}"),
)
NAME_SLOT = Slot(
    "ProvisionedName",
    SlotType("ProvisionedName", listed=False, samples=("orders-db", "web-shop-bucket", "payments-queue")),
    required=False,
    label="Name",
    utterances=("call it {ProvisionedName}", "name it {ProvisionedName}", "rename it to {ProvisionedName}"),
)
SUBJECT_SLOT = Slot(
    "ProvisionedProduct",
    PROVISIONED,
    prompt="{name}, which of your products? {choices}",
    again="Which of your products? {choices}",
    label="Product",
)

ORDERING = Definition(
    name=ORDER,
    title="product order",
    description="Order a product of the Service Catalog, such as a database or a bucket.",
    utterances=(
        "order a product",
        "I want to order a product",
        "order from the service catalog",
        "I want to order from the product catalog",
        "launch a product",
        "provision a product from the catalog",
        "order {Product}",
        "order the {Product}",
        "order a {Product}",
        "order an {Product}",
        "order the {ProductKind}",
        "order {ProductKind}",
        "order a {ProductKind} for us",
        "please order the {ProductKind}",
        "order the {ProductKind} version {Version}",
        "order {ProductKind} version {Version}",
        "we need a {ProductKind}",
        "can I get a {ProductKind}",
        "could you set up an {ProductKind}",
        "I need a {ProductKind}",
        "I want an {ProductKind}",
        "get us a {ProductKind}",
        "create a {ProductKind}",
        "order the product {Product}",
        "please order a {Product} for us",
        "I want to order the {Product}",
        "I need a {Product}",
        "I need an {Product}",
        "we need a {Product}",
        "we need an {Product} for our application",
        "our team needs a {Product}",
        "I want a {Product}",
        "I'd like an {Product}",
        "I would like a {Product} please",
        "get me a {Product}",
        "give me a {Product}",
        "can I have a {Product}",
        "can we get an {Product}",
        "could you set up a {Product}",
        "please provision a {Product}",
        "provision {Product}",
        "create a {Product}",
        "make me an {Product}",
        "launch a {Product}",
        "set up a {Product} for my team",
        "spin up a {Product}",
        "how do I get a {Product}",
        "order {Product} version {Version}",
        "I need version {Version} of the {Product}",
        "order the {Product} called {ProvisionedName}",
        "I need a {Product} named {ProvisionedName}",
        "order the {Product} version {Version} called {ProvisionedName}",
        "I need an {Product} called {ProvisionedName}",
    ),
    slots=(PRODUCT_SLOT, VERSION_SLOT, NAME_SLOT, KIND_SLOT),
    examples=("order a product", "I need an encrypted bucket", "order the PostgreSQL database"),
    confirmation="Shall I order {Product}?",
    declined="OK, nothing was ordered.",
)
UPDATING = Definition(
    name=UPDATE,
    title="product update",
    description="Change a product of yours: a newer version, or other parameters.",
    utterances=(
        "update a product",
        "update my product",
        "upgrade my product",
        "change the parameters of my product",
        "update {ProvisionedKind}",
        "update the product {ProvisionedProduct}",
        "update {ProvisionedKind} to {Version}",
        "update my product to the newest version",
        "upgrade {ProvisionedKind}",
        "modify {ProvisionedKind}",
        "reconfigure the product {ProvisionedProduct}",
    ),
    slots=(
        replace(
            SUBJECT_SLOT,
            utterances=(
                "update {ProvisionedProduct}",
                "upgrade {ProvisionedProduct}",
                "modify {ProvisionedProduct}",
                "update {ProvisionedProduct} to version {Version}",
                "upgrade {ProvisionedProduct} to version {Version}",
            ),
        ),
        VERSION_SLOT,
        NAME_KIND_SLOT,
    ),
    examples=("update a product",),
    confirmation="Shall I update {ProvisionedProduct}?",
    declined="OK, nothing was changed.",
)
TERMINATING = Definition(
    name=TERMINATION,
    title="product termination",
    description="End a product of yours, after showing what would be lost.",
    destroys=True,
    utterances=(
        "terminate a product",
        "terminate my product",
        "end a product of mine",
        "delete a product of mine",
        "terminate {ProvisionedKind}",
        "terminate the product {ProvisionedProduct}",
        "end the product {ProvisionedProduct}",
        "delete the product {ProvisionedProduct}",
        "remove the product {ProvisionedProduct}",
        "destroy the product {ProvisionedProduct}",
        "delete {ProvisionedKind}",
        "I no longer need the product {ProvisionedProduct}",
    ),
    slots=(
        replace(
            SUBJECT_SLOT,
            utterances=(
                "terminate {ProvisionedProduct}",
                "delete my {ProvisionedProduct}",
                "delete the product {ProvisionedProduct}",
                "no longer need {ProvisionedProduct}",
            ),
        ),
        NAME_KIND_SLOT,
    ),
    examples=("terminate a product",),
    confirmation="Shall I terminate {ProvisionedProduct}?",
    declined="OK, nothing was terminated.",
)
CATALOG = Definition(
    name="ProductCatalog",
    title="list of what can be ordered",
    description="Tell what can be ordered.",
    utterances=(
        "what can I order",
        "what products can I order",
        "which products can I order",
        "what else can I order",
        "what can be ordered here",
        "list the products",
        "list all products",
        "list what can be ordered",
        "show me what I can order",
        "show the catalog",
        "show me the service catalog",
        "what is in the catalog",
        "what do you offer",
        "what is there to order",
        "what is available to order",
        "which products are there",
        "which products are available",
        "what can I get from the platform team",
        "browse the catalog",
        "show me the product catalogue",
        "product catalog",
        "product list",
        "catalog",
        "products",
        "what can I request besides accounts",
        "is there anything besides accounts that I can order",
        "which services can I order",
        "which things can I order from you",
        "what kinds of infrastructure can I order",
        "show everything that can be ordered",
    ),
    examples=("what can I order?",),
)
MINE = Definition(
    name="MyProducts",
    title="list of your products",
    description="List my products.",
    utterances=(
        "my products",
        "show my products",
        "list my products",
        "which products do I have",
        "what products do I own",
        "which products are mine",
        "what do I run",
        "list the products that I own",
        "show the products I ordered",
        "products of mine",
        "which databases do I own",
        "which buckets do I have",
        "my provisioned products",
    ),
    examples=("my products",),
)
DETAILS = Definition(
    name="ProductDetails",
    title="details of a product",
    description="Show a product of yours with its outputs.",
    utterances=(
        "show product {ProvisionedProduct}",
        "show product {ProvisionedKind}",
        "describe {ProvisionedKind}",
        "show the product {ProvisionedProduct}",
        "show me the product {ProvisionedProduct}",
        "details of product {ProvisionedProduct}",
        "details of the product {ProvisionedProduct}",
        "outputs of {ProvisionedKind}",
        "what are the outputs of {ProvisionedProduct}",
        "show the outputs of {ProvisionedProduct}",
        "describe the product {ProvisionedProduct}",
        "tell me about the product {ProvisionedProduct}",
    ),
    slots=(
        Slot(
            "ProvisionedProduct",
            PROVISIONED,
            required=False,
            label="Product",
            utterances=("describe {ProvisionedProduct}", "outputs of {ProvisionedProduct}"),
        ),
        NAME_KIND_SLOT,
    ),
    examples=("show product team-archive",),
)

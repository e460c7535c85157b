"""Order, see, change and end products of the Service Catalog; accounts have an intent of their own."""

from __future__ import annotations

from bot.intent import Intent
from bot.services import Services
from intents.products.catalog import Catalog
from intents.products.changing import ProductTermination, ProductUpdate
from intents.products.ordering import ProductOrder
from intents.products.provisioned import ProvisionedProducts
from intents.products.queries import MyProducts, ProductCatalog, ProductDetails
from intents.products.workflow import Work


def create(services: Services) -> list[Intent]:
    """Return this folder's intents."""
    catalog = Catalog(services)
    provisioned = ProvisionedProducts(services, catalog)
    work = Work(services, provisioned)
    return [
        ProductCatalog(services, catalog),
        ProductOrder(services, catalog, provisioned, work),
        ProductUpdate(services, catalog, provisioned, work),
        ProductTermination(services, catalog, provisioned, work),
        MyProducts(services, provisioned),
        ProductDetails(services, provisioned),
    ]

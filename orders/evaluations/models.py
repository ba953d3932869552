"""How buyers rate what they accepted, and what suppliers answer."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from shop.core.db import key, moment, ref


class Evaluation(SQLModel, table=True):
    """A buyer's ratings (1 to 5) of one supplier order; there is one, however often it is changed."""

    __tablename__ = "evaluation"
    __table_args__ = (
        CheckConstraint(
            "quality BETWEEN 1 AND 5 AND price BETWEEN 1 AND 5 AND delivery BETWEEN 1 AND 5 AND packaging BETWEEN 1 AND 5",
            name="ratings",
        ),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered"),
        UniqueConstraint("supplier_order_id"),
        Index(None, "supplier_id", "id"),
        Index(None, "buyer_id", "id"),
    )

    id: int = key()
    supplier_order_id: int = ref("supplier_order.id")
    buyer_id: int = ref("organisation.id")
    supplier_id: int = ref("organisation.id")
    quality: int
    price: int
    delivery: int
    packaging: int
    text: str | None = None
    rated_by: int = ref("app_user.id")
    rated_at: datetime = moment()
    changed_at: datetime | None = moment(nullable=True)
    answer: str | None = None
    answered_by: int | None = ref("app_user.id", nullable=True)
    answered_at: datetime | None = moment(nullable=True)
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})


class EvaluationProduct(SQLModel, table=True):
    """A product of the order of which something was accepted, with the certificate that it was ordered under."""

    __tablename__ = "evaluation_product"
    __table_args__ = (Index(None, "product_id", "evaluation_id"), Index(None, "certificate_id", "evaluation_id"))

    evaluation_id: int = ref("evaluation.id", primary_key=True)
    product_id: int = ref("product.id", primary_key=True)
    certificate_id: int = ref("certificate.id")


class EvaluationFile(SQLModel, table=True):
    __tablename__ = "evaluation_file"

    evaluation_id: int = ref("evaluation.id", primary_key=True)
    file_id: int = ref("stored_file.id", primary_key=True)

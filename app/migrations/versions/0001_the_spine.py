"""the spine"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "collections",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("subscriber", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("last_added", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_collections")),
        sa.UniqueConstraint("alias", name=op.f("uq_collections_alias")),
    )
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "credentials",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("subscriber", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=True),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credentials")),
    )
    op.create_index(op.f("ix_credentials_subscriber"), "credentials", ["subscriber"], unique=False)
    op.create_table(
        "cursors",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("last_success", Instant(), nullable=True),
        sa.Column("last_error", Instant(), nullable=True),
        sa.Column("error", sa.String(), server_default="", nullable=False),
        sa.Column("documents", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_document_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_cursors")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("subscriber", sa.String(length=255), nullable=False),
        sa.Column("channel", sa.Integer(), nullable=False),
        sa.Column("medium", sa.String(length=16), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("queued_at", Instant(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(length=64), nullable=False),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("repeat", sa.Boolean(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=True),
        sa.Column("label", sa.String(length=16), nullable=True),
        sa.Column("view", sa.String(length=64), nullable=True),
        sa.Column("message_id", sa.String(length=255), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["state", "priority", "due_at", "id"], unique=False)
    op.create_index("ix_deliveries_subject", "deliveries", ["subject", "subscriber"], unique=False)
    op.create_table(
        "documents",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("admitted", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_documents")),
    )
    op.create_table(
        "editions",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("edition", sa.String(length=8), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_editions")),
    )
    op.create_table(
        "feed_entries",
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("item_version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("categories", sa.LargeBinary(), nullable=False),
        sa.Column("statements", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", Instant(), nullable=False),
        sa.Column("updated_at", Instant(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_feed_entries")),
    )
    op.create_index(op.f("ix_feed_entries_updated_at"), "feed_entries", ["updated_at"], unique=False)
    op.create_table(
        "items",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("meaning", sa.String(length=64), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=False, comment="what `oktt items` lists, JSON"),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("holder", sa.String(length=100), nullable=True, comment="who claimed or held it"),
        sa.Column("label", sa.String(length=12), nullable=True, comment="a stricter label that an analyst set"),
        sa.Column("urgency", sa.String(length=12), nullable=True, comment="an analyst's"),
        sa.Column("ruled", sa.String(length=64), nullable=True, comment="what the release rules last looked at"),
        sa.Column("reserved", sa.Boolean(), nullable=False, comment="a person kept it back: no rule lets it out"),
        sa.Column(
            "merged_into",
            sa.String(length=40),
            nullable=True,
            comment="the item that took it in, and has its statements",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_items")),
    )
    op.create_index(op.f("ix_items_changed_at"), "items", ["changed_at"], unique=False)
    op.create_index(op.f("ix_items_merged_into"), "items", ["merged_into"], unique=False)
    op.create_index(op.f("ix_items_state"), "items", ["state"], unique=False)
    op.create_table(
        "journal",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False, comment="1, 2, 3, ... without gaps"),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False, comment="id of what it is about"),
        sa.Column("detail", sa.LargeBinary(), nullable=True, comment="JSON; null: erased, with its salt"),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("commitment", sa.String(length=64), nullable=False, comment="hash of salt and detail"),
        sa.Column("prev", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False, comment="keyed hash of all but detail and salt"),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_journal")),
    )
    op.create_index(op.f("ix_journal_at"), "journal", ["at"], unique=False)
    op.create_index(op.f("ix_journal_subject"), "journal", ["subject"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("delivery", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subscriber", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("medium", sa.String(length=16), nullable=True),
        sa.Column("label", sa.String(length=16), nullable=True),
        sa.Column("view", sa.String(length=64), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("message_id", sa.String(length=255), nullable=True),
        sa.Column("repeat", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
    )
    op.create_index(op.f("ix_ledger_at"), "ledger", ["at"], unique=False)
    op.create_index(op.f("ix_ledger_delivery"), "ledger", ["delivery"], unique=False)
    op.create_index("ix_ledger_subject", "ledger", ["subject", "subscriber"], unique=False)
    op.create_index("ix_ledger_subscriber", "ledger", ["subscriber", "at"], unique=False)
    op.create_table(
        "published_items",
        sa.Column("collection", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("item_version", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("statements", sa.LargeBinary(), nullable=False),
        sa.Column("linked_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("collection", "seq", "item", name=op.f("pk_published_items")),
    )
    op.create_index("ix_published_items_item", "published_items", ["item", "collection"], unique=False)
    op.create_table(
        "refusals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("document", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=100), nullable=False),
        sa.Column("stage", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("path", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusals")),
    )
    op.create_index(op.f("ix_refusals_at"), "refusals", ["at"], unique=False)
    op.create_index(op.f("ix_refusals_document"), "refusals", ["document"], unique=False)
    op.create_table(
        "renamed",
        sa.Column("collection", sa.String(length=36), nullable=False),
        sa.Column("source_id", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("collection", "source_id", name=op.f("pk_renamed")),
    )
    op.create_table(
        "subscriber_counters",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_subscriber_counters")),
    )
    op.create_table(
        "subscriber_history",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False, comment="when it was replaced"),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("own", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", "revision", name=op.f("pk_subscriber_history")),
    )
    op.create_table(
        "subscribers",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=100), nullable=True, comment="NULL once removed"),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="msgspec JSON of Incoming; empty once removed"),
        sa.Column("own", sa.LargeBinary(), nullable=False, comment="msgspec JSON of Own: given by the subscriber"),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("removed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_subscribers")),
        sa.UniqueConstraint("id", name=op.f("uq_subscribers_id")),
    )
    op.create_index(op.f("ix_subscribers_revision"), "subscribers", ["revision"], unique=False)
    op.create_table(
        "edition_contents",
        sa.Column("edition", sa.String(length=32), nullable=False),
        sa.Column("subscriber", sa.String(length=255), nullable=False),
        sa.Column("held", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["edition"], ["editions.id"], name=op.f("fk_edition_contents_edition_editions")),
        sa.PrimaryKeyConstraint("edition", "subscriber", name=op.f("pk_edition_contents")),
    )
    op.create_table(
        "history",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("os_user", sa.String(length=100), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["item"], ["items.id"], name=op.f("fk_history_item_items")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
    )
    op.create_index(op.f("ix_history_item"), "history", ["item"], unique=False)
    op.create_table(
        "merge_keys",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["item"], ["items.id"], name=op.f("fk_merge_keys_item_items")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_merge_keys")),
    )
    op.create_index(op.f("ix_merge_keys_item"), "merge_keys", ["item"], unique=False)
    op.create_table(
        "published",
        sa.Column("collection", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("date_added", Instant(), nullable=False),
        sa.Column("object_id", sa.String(), nullable=False),
        sa.Column("version", Instant(), nullable=False),
        sa.Column("version_text", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("spec_version", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["collection"], ["collections.id"], name=op.f("fk_published_collection_collections")),
        sa.PrimaryKeyConstraint("collection", "seq", name=op.f("pk_published")),
    )
    op.create_index("ix_published_date_added", "published", ["collection", "date_added"], unique=False)
    op.create_index(op.f("ix_published_object_id"), "published", ["object_id"], unique=False)
    op.create_index("ix_published_version", "published", ["collection", "object_id", "version"], unique=True)
    op.create_table(
        "releases",
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("decision", sa.LargeBinary(), nullable=False),
        sa.Column("audience", sa.LargeBinary(), nullable=False),
        sa.Column("bound", sa.String(length=64), nullable=False, comment="hash of item, label, urgency, policy"),
        sa.Column("shown", sa.String(length=64), nullable=False, comment="hash of advice and templates"),
        sa.Column("status", sa.String(length=12), nullable=False, comment="pending, active, superseded, withdrawn"),
        sa.ForeignKeyConstraint(["item"], ["items.id"], name=op.f("fk_releases_item_items")),
        sa.PrimaryKeyConstraint("item", "version", "status", name=op.f("pk_releases")),
    )
    op.create_table(
        "statements",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("item", sa.String(length=40), nullable=True, comment="null: facts, which join by CVE"),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=12), nullable=False),
        sa.Column("meaning", sa.String(length=64), nullable=False),
        sa.Column("regime", sa.String(length=40), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["item"], ["items.id"], name=op.f("fk_statements_item_items")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_statements")),
    )
    op.create_index(op.f("ix_statements_item"), "statements", ["item"], unique=False)
    op.create_index(op.f("ix_statements_received_at"), "statements", ["received_at"], unique=False)
    op.create_index(op.f("ix_statements_source"), "statements", ["source"], unique=False)
    op.create_table(
        "versions",
        sa.Column("item", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("card", sa.LargeBinary(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False, comment="sealed statements and CVE facts as they were"),
        sa.ForeignKeyConstraint(["item"], ["items.id"], name=op.f("fk_versions_item_items")),
        sa.PrimaryKeyConstraint("item", "version", name=op.f("pk_versions")),
    )
    op.create_table(
        "cves",
        sa.Column("cve", sa.String(length=30), nullable=False),
        sa.Column("statement", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["statement"], ["statements.key"], name=op.f("fk_cves_statement_statements")),
        sa.PrimaryKeyConstraint("cve", "statement", name=op.f("pk_cves")),
    )
    op.create_index(op.f("ix_cves_statement"), "cves", ["statement"], unique=False)

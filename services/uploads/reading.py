"""Opens the renditions of files: nobody opens what was not checked (P41)."""

from sqlalchemy import ColumnElement, select

from services.base import Base
from services.gateways.storage import FileChunks
from services.refusal import Refusal
from services.store.tables.uploads import uploads
from services.uploads import rows
from services.uploads.objects import Objects
from services.uploads.upload import OpenedFile, Upload


class Reading:
    """Shows renditions to those who may see them."""

    def __init__(self, base: Base, objects: Objects) -> None:
        self._store = base.store
        self._objects = objects

    def open(self, kutid: str, upload_id: str) -> OpenedFile:
        """Return the rendition of a customer's file.

        Raises OutOfTurn for another customer's, Refusal ``file.unchecked`` before it is ready or when it was refused,
        StorageUnavailable.
        """
        return self._open(uploads.c.id == upload_id, uploads.c.kutid == kutid)

    def open_for(self, owner: str, upload_id: str) -> OpenedFile:
        """Return the rendition of a file by what it belongs to, for the insurer. Raises as `open` does."""
        return self._open(uploads.c.id == upload_id, uploads.c.owner == owner)

    def _open(self, *conditions: ColumnElement[bool]) -> OpenedFile:
        with self._store.read() as connection:
            upload: Upload = rows.found(connection, *conditions)
            key = connection.execute(select(uploads.c.rendition).where(*conditions)).scalar()
        if not upload.is_open or key is None:
            raise Refusal("file", "unchecked")
        file = self._objects.copy(key)
        return OpenedFile(upload, upload.rendition_type or "", upload.rendition_size or 0, FileChunks(file))

"""A bundle: a folder (or one zip) with manifest.toml, ONNX graphs and their weights, checked before it is opened."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import platformdirs

from segue.prior.archive import unpack
from segue.prior.checks import check_files, check_graphs
from segue.prior.codecs.registry import CodecSource, make_codec
from segue.prior.contract import Codec
from segue.prior.folders import embedded_folder, find_bundle, packaged_folder
from segue.prior.manifest import TOKENIZER, Manifest, read_manifest
from segue.prior.onnx_function import OnnxDenoiser, OnnxFunction
from segue.prior.prompts import Prompts
from segue.prior.quarantine import ensure_passed
from segue.prior.runtime import Graph, SessionSettings
from segue.prior.signature import Signature
from segue.prior.text import PromptEncoder
from segue.prior.weight_checks import check_finite


@dataclass(frozen=True)
class Bundle:
    """A checked bundle; make one with :meth:`open`.

    ``digest`` is the SHA-256 of the manifest, which holds those of all other files: it names the model in a recipe.
    """

    manifest: Manifest
    digest: str
    folder: Path
    _graphs: Mapping[str, Graph] = field(repr=False, compare=False)

    @staticmethod
    def open(source: str | Path | None = None, *, cache: Path | None = None) -> Bundle:
        """Open a bundle: None is the default one inside this package; a bare name is looked up in the user's data
        folder (see :func:`bundles_folder`), then in the package; a Path, or a string with a separator or ending in
        .zip, is a folder or zip.

        All files are checked against their digests, the graphs parsed and searched for anything but plain operators,
        and a bundle whose digest is new is first run in a child process (``segue.prior.quarantine``). The package's own
        need no child: they are installed together with this code and are as much to be trusted; their digests are
        checked all the same, against damage.

        Raises:
            BundleRejected: there is none, or it is damaged, unsafe or of another format.
            ResourceError: a zip needs more room than there is.
        """
        cache = cache or platformdirs.user_cache_path("segue")
        folder = embedded_folder() if source is None else find_bundle(source)
        packaged = source is None or folder.parent == packaged_folder()
        if not folder.is_dir():
            folder = unpack(folder, cache)
        manifest, text = read_manifest(folder)
        digest = hashlib.sha256(text).hexdigest()
        check_files(folder, manifest, may_be_linked=packaged)
        checked = check_graphs(folder, manifest)
        check_finite(folder, chain.from_iterable(checked.tensors.values()))
        bundle = Bundle(manifest, digest, folder, checked.graphs)
        bundle.codec()  # refuses a codec table that contradicts the manifest now, not in the middle of a render
        bundle.prompts()  # and stored prompts
        if not packaged:
            ensure_passed(folder, manifest, digest, cache)
        return bundle

    def denoiser(self, settings: SessionSettings | None = None) -> OnnxDenoiser:
        """The denoiser; its sessions are made when first needed."""
        return OnnxDenoiser(self._load(self.manifest.denoiser(), settings))

    def codec(self, settings: SessionSettings | None = None) -> Codec:
        """The codec the manifest names."""
        return make_codec(CodecSource(self.manifest, lambda signature: self._load(signature, settings)))

    def prompts(self, settings: SessionSettings | None = None) -> Prompts:
        """What the bundle can be told in words; its text encoder's session is made when first needed.

        Raises:
            BundleRejected: the stored prompts are not what the manifest lists.
        """
        text, signature = self.manifest.text, self.manifest.text_signature()
        encoder = None
        if text is not None and signature is not None:
            graph, tokenizer = self._graphs[signature.graph], self.folder / TOKENIZER
            encoder = PromptEncoder(text, signature, graph, tokenizer, settings or SessionSettings())
        return Prompts.read(self.manifest, self.folder, encoder)

    def _load(self, signature: Signature, settings: SessionSettings | None) -> OnnxFunction:
        return OnnxFunction(signature, self._graphs, settings or SessionSettings())

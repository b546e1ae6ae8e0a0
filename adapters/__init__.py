"""Implementations that come with the suite: one file a framework, imported when named."""

# Name to the "module:attribute" of a function without arguments that makes an implementation.
REGISTRY = {
    "reference": "lstm_conformance.adapters.reference:ReferenceLSTM",
    "torch": "lstm_conformance.adapters.torch_module:torch_lstm",
    "torch-onednn-off": "lstm_conformance.adapters.torch_module:torch_lstm_without_onednn",
}

"""Checkpoints of the public layouts made small: random weights, real tokenizers."""

import re
import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLCogVideoX,
    CogVideoXDDIMScheduler,
    CogVideoXDPMScheduler,
    CogVideoXPipeline,
    CogVideoXTransformer3DModel,
    ControlNetModel,
    DDIMScheduler,
    StableDiffusionPipeline,
    TextToVideoSDPipeline,
    UNet2DConditionModel,
    UNet3DConditionModel,
)
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from metrics.networks.clip import WorldClip, WorldClipConfig
from pipeline.world.captions import captions
from pipeline.world.scene import draw

IMAGE_TEXT_WIDTH = 16
TEXT_WIDTH, TEXT_LENGTH = 32, 226
SENTENCE_WIDTH, EMBEDDING = 24, 16  # of the sentence encoder's tokens; of the world's dual encoder


def cogvideox_checkpoint(folder: Path, tokenizers: Path, rotary: bool = False) -> Path:
    """A CogVideoX-2B folder: text_encoder/, tokenizer/, transformer/, vae/, scheduler/, 226 text tokens; with rotary
    embeddings and DPM's scheduler as CogVideoX-5B."""
    torch.manual_seed(0)
    tokenizer = T5Tokenizer.from_pretrained(tokenizers / "cogvideox_t5")
    encoder = T5EncoderModel(T5Config(vocab_size=32128, d_model=TEXT_WIDTH, d_kv=8, d_ff=32, num_layers=1, num_heads=2))
    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=4,
        out_channels=4,
        time_embed_dim=8,
        text_embed_dim=TEXT_WIDTH,
        num_layers=1,
        sample_width=4,
        sample_height=4,
        sample_frames=9,
        patch_size=2,
        temporal_compression_ratio=4,
        max_text_seq_length=TEXT_LENGTH,
        use_rotary_positional_embeddings=rotary,
    )
    vae = AutoencoderKLCogVideoX(
        block_out_channels=(8, 8, 8, 8),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=2,
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        temporal_compression_ratio=4,
    )
    scheduler = CogVideoXDPMScheduler() if rotary else CogVideoXDDIMScheduler()
    CogVideoXPipeline(tokenizer, encoder, vae, transformer, scheduler).save_pretrained(folder)
    return folder


def clip_checkpoint(folder: Path, tokenizers: Path) -> Path:
    """A CLIP folder with the real tokenizer and a one-layer model of each tower."""
    torch.manual_seed(0)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config={**tower, "vocab_size": 49408, "eos_token_id": 49407, "bos_token_id": 49406, "pad_token_id": 49407},
        vision_config={**tower, "image_size": 32, "patch_size": 8},
        projection_dim=8,
    )
    CLIPModel(config).save_pretrained(folder)
    for path in (tokenizers / "clip_sd").iterdir():
        shutil.copy(path, folder)
    return folder


def sentence_encoder(folder: Path) -> Path:
    """A folder of a BERT-like sentence encoder, whose tokenizer knows the words of the toy world's captions."""
    texts = captions(draw(300, 0)[0], 0)
    words = sorted({word for text in texts for word in re.findall(r"\w+|[^\w\s]", text.lower())})
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [(token, vocabulary[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **special)
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"hidden_size": SENTENCE_WIDTH, "intermediate_size": 32, "max_position_embeddings": 64}
    layers = {"num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=len(vocabulary), **sizes, **layers)).save_pretrained(folder)
    return folder


def world_clip(folder: Path) -> Path:
    """A folder of the toy world's dual encoder, untrained, on tokens of `sentence_encoder`."""
    torch.manual_seed(0)
    tower = {"patch_size": 8, "hidden_size": 16, "layers": 1, "heads": 2}
    heads = {"projection_dim": EMBEDDING, "text_width": SENTENCE_WIDTH, "text_hidden": 16}
    WorldClip(WorldClipConfig(**tower, **heads)).save_pretrained(folder)
    return folder


def image_unet(text_width: int = IMAGE_TEXT_WIDTH) -> UNet2DConditionModel:
    """A UNet of Stable Diffusion's kind for latents (B, 4, 8, 8), two decoder layers with attention."""
    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        layers_per_block=1,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=text_width,
        attention_head_dim=2,
        norm_num_groups=4,
    ).eval()


def image_codec() -> AutoencoderKL:
    """A `vae/` of images that halves the sides twice."""
    return AutoencoderKL(
        block_out_channels=(8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=4,
        norm_num_groups=4,
    )


def public_betas() -> DDIMScheduler:
    """Epsilon prediction on the betas of Stable Diffusion, v1.5's and ModelScope's."""
    return DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1
    )


def stable_diffusion_checkpoint(folder: Path, tokenizers: Path) -> Path:
    """A Stable Diffusion v1.5 folder: unet/, vae/, text_encoder/, tokenizer/, scheduler/; epsilon prediction, 77 text
    tokens."""
    torch.manual_seed(0)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    vocabulary = {"vocab_size": 49408, "eos_token_id": 49407, "bos_token_id": 49406, "pad_token_id": 49407}
    StableDiffusionPipeline(
        vae=image_codec(),
        text_encoder=CLIPTextModel(CLIPTextConfig(**tower, **vocabulary)),
        tokenizer=CLIPTokenizer.from_pretrained(tokenizers / "clip_sd"),
        unet=image_unet(),
        scheduler=public_betas(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


def stable_diffusion_21_checkpoint(folder: Path, tokenizers: Path) -> Path:
    """A Stable Diffusion 2.1 folder: as v1.5's, with heads that grow from level to level, linear projections, attention
    in float32, OpenCLIP's text encoder and padding, four levels of UNet and codec, and v-prediction."""
    torch.manual_seed(0)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    vocabulary = {"vocab_size": 49408, "eos_token_id": 2, "bos_token_id": 0, "pad_token_id": 1}
    StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(8, 8, 8, 8),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
            norm_num_groups=4,
        ),
        text_encoder=CLIPTextModel(CLIPTextConfig(**tower, **vocabulary, hidden_act="gelu", projection_dim=8)),
        tokenizer=CLIPTokenizer.from_pretrained(tokenizers / "clip_sd", pad_token="!"),
        unet=UNet2DConditionModel(
            sample_size=8,
            layers_per_block=2,
            block_out_channels=(8, 16, 16, 16),
            cross_attention_dim=IMAGE_TEXT_WIDTH,
            attention_head_dim=[1, 2, 4, 4],
            use_linear_projection=True,
            upcast_attention=True,
            norm_num_groups=4,
        ),
        scheduler=DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            set_alpha_to_one=False,
            steps_offset=1,
            prediction_type="v_prediction",
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


def video_unet() -> UNet3DConditionModel:
    """A UNet of ModelScope's kind for latents (B, 4, F, 8, 8), its temporal convolutions not at their first zeros."""
    torch.manual_seed(0)
    unet = UNet3DConditionModel(
        sample_size=8,
        layers_per_block=1,
        block_out_channels=(8, 16),
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
        cross_attention_dim=IMAGE_TEXT_WIDTH,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    for name, parameter in unet.named_parameters():
        if "temp_convs" in name:
            parameter.data += 0.2 * torch.randn(parameter.shape)
    return unet.eval()


def text_to_video_checkpoint(folder: Path, tokenizers: Path) -> Path:
    """A ModelScope folder, as `TextToVideoSDPipeline` writes it: unet/, vae/, text_encoder/, tokenizer/, scheduler/,
    model_index.json; OpenCLIP's text encoder and padding, epsilon prediction, 77 text tokens."""
    torch.manual_seed(0)
    tower = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    vocabulary = {"vocab_size": 49408, "eos_token_id": 2, "bos_token_id": 0, "pad_token_id": 1}
    TextToVideoSDPipeline(
        vae=image_codec(),
        text_encoder=CLIPTextModel(CLIPTextConfig(**tower, **vocabulary, hidden_act="gelu", projection_dim=8)),
        tokenizer=CLIPTokenizer.from_pretrained(tokenizers / "clip_sd", pad_token="!"),
        unet=video_unet(),
        scheduler=public_betas(),
    ).save_pretrained(folder)
    return folder


def write_lora(checkpoint: Path, folder: Path, alpha: int = 2, **further: Any) -> None:
    """A random LoRA of rank 2 for a checkpoint's UNet, with its metadata; `further` goes to `save_lora_weights`."""
    unet = UNet2DConditionModel.from_pretrained(checkpoint, subfolder="unet")
    unet.add_adapter(LoraConfig(r=2, lora_alpha=alpha, target_modules=["to_q", "to_v"], init_lora_weights=False))
    layers = convert_state_dict_to_diffusers(get_peft_model_state_dict(unet))
    metadata = unet.peft_config["default"].to_dict()
    StableDiffusionPipeline.save_lora_weights(folder, layers, unet_lora_adapter_metadata=metadata, **further)


def write_controlnet(checkpoint: Path, folder: Path) -> None:
    """A ControlNet of a checkpoint's UNet for pictures of four times its latents' side; not at its first zeros."""
    torch.manual_seed(0)
    unet = UNet2DConditionModel.from_pretrained(checkpoint, subfolder="unet")
    network = ControlNetModel.from_unet(unet, conditioning_embedding_out_channels=(8, 8, 8))
    for name, parameter in network.named_parameters():
        if "controlnet" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    network.save_pretrained(folder)


def write_ip_adapter(checkpoint: Path, folder: Path) -> None:
    """An IP-Adapter of a checkpoint's UNet as the public ones lie: models/ip-adapter_sd15.safetensors, and beside it
    image_encoder/; random weights, four tokens of a picture."""
    torch.manual_seed(0)
    unet, width = UNet2DConditionModel.from_pretrained(checkpoint, subfolder="unet"), 12
    vision = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=16,
        patch_size=8,
        projection_dim=width,
    )
    CLIPVisionModelWithProjection(vision).save_pretrained(folder / "models/image_encoder")
    text = unet.config.cross_attention_dim
    tensors = {"image_proj.proj.weight": torch.randn(4 * text, width), "image_proj.proj.bias": torch.zeros(4 * text)}
    tensors |= {"image_proj.norm.weight": torch.ones(text), "image_proj.norm.bias": torch.zeros(text)}
    layers = [module for name, module in unet.named_modules() if name.endswith(".attn2")]
    for i, layer in enumerate(layers):
        for which in ("k", "v"):
            tensors[f"ip_adapter.{2 * i + 1}.to_{which}_ip.weight"] = torch.randn(layer.to_k.out_features, text)
    save_file(tensors, folder / "models/ip-adapter_sd15.safetensors")

"""What the operations do: each file keeps one Protocol of `arietta.ari.domain` on the living channels and bridges."""

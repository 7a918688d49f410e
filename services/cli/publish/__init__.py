"""`osevents publish`: synthetic events, made here and always marked as what they are."""

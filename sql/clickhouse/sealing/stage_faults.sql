SELECT count() AS faults FROM {stage:Identifier} WHERE fault != ''
